export { AccessTokenValidator } from './access-token/access-token-validator.js';
export { bearerToken, type BearerToken } from './access-token/bearer-token.js';
export { AuthModule } from './auth.module.js';
export type { AuthOptions } from './auth.options.js';
export { JwtAuthGuard } from './jwt-auth.guard.js';
export { UnknownPermissionError } from './permissions.guard.js';
