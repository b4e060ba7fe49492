import { configurableModule } from '../../common/configurable-module/index.js';
import type { KeysOptions } from './keys.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: KEYS_OPTIONS } =
  configurableModule<KeysOptions>('Keys');
