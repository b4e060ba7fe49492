import { configurableModule } from '../common/configurable-module/index.js';
import type { GuardOptions } from './guard.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: GUARD_OPTIONS } =
  configurableModule<GuardOptions>('Guard');
