export { HashingOverloadedError, PasswordHasher } from './password-hasher.js';
export { userFromFields, type User, type UserRecord } from './user.js';
export { usernameDigest } from './username.js';
export { UsersModule } from './users.module.js';
export type { HashingOptions, UsersOptions } from './users.options.js';
export { UsersService } from './users.service.js';
export { userTag } from './users.store.js';
