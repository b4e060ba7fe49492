export { BootstrapAdministrator, BootstrapAdministratorError } from './bootstrap-administrator.js';
export { Argon2PasswordHasher } from './argon2-password-hasher.js';
export { Credentials, type CredentialCheck } from './credentials.js';
export { HashingOverloadedError, HashingQueue } from './hashing-queue.js';
export { PASSWORD_HASHER, type PasswordHasher } from './password-hasher.js';
export { RedisUserStore } from './redis-user-store.js';
export { Roles } from './roles.js';
export { userFromFields, type User, type UserRecord } from './user.js';
export { canonicalUsername, usernameDigest } from './username.js';
export { UsersModule } from './users.module.js';
export type { HashingOptions, UsersOptions } from './users.options.js';
export { UsersService } from './users.service.js';
export { userSubject, userTag } from './user-records.js';
export {
  USER_STORE,
  UserStoreUnavailableError,
  type ChangeOutcome,
  type NewUser,
  type StoredChange,
  type UserStore,
} from './user-store.js';
