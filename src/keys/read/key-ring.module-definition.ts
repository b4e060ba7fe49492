import { configurableModule } from '../../common/configurable-module/index.js';
import type { KeyRingOptions } from './key-ring.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: KEY_RING_OPTIONS } =
  configurableModule<KeyRingOptions>('KeyRing');
