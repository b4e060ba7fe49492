import { configurableModule } from '../common/module/index.js';
import type { UsersOptions } from './users.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: USERS_OPTIONS } =
  configurableModule<UsersOptions>('Users');
