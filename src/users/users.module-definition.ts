import { configurableModule } from '../common/configurable-module/index.js';
import { PASSWORD_HASHER, type PasswordHasher } from '../credentials/index.js';
import { USER_STORE, type UserStore } from './store/user-store.js';
import { USER_DIRECTORY, type UserDirectory } from './directory/user-directory.js';
import type { UsersOptions } from './users.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: USERS_OPTIONS } = configurableModule<
  UsersOptions,
  { passwordHasher: PasswordHasher; userStore: UserStore; userDirectory: UserDirectory }
>('Users', {
  passwordHasher: PASSWORD_HASHER,
  userStore: USER_STORE,
  userDirectory: USER_DIRECTORY,
});
