export { BootstrapAdministrator, BootstrapAdministratorError } from './bootstrap-administrator.js';
export { HashingOverloadedError, PasswordHasher } from './password-hasher.js';
export { allow, ROLES, type Role } from './roles.js';
export { userFromFields, type User, type UserRecord } from './user.js';
export { usernameDigest } from './username.js';
export { UsersModule } from './users.module.js';
export type { HashingOptions, UsersOptions } from './users.options.js';
export { UsersService } from './users.service.js';
export { userSubject, userTag } from './users.store.js';
