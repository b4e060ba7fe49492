import { configurableModule } from '../common/configurable-module/index.js';
import type { AuthOptions } from './auth.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: AUTH_OPTIONS } =
  configurableModule<AuthOptions>('Auth');
