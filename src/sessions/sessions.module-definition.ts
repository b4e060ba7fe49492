import { configurableModule } from '../common/configurable-module/index.js';
import type { SessionsOptions } from './sessions.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: SESSIONS_OPTIONS } =
  configurableModule<SessionsOptions>('Sessions');
