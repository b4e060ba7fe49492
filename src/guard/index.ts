export { AccessTokenValidator } from './access-token-validator.js';
export { bearerToken, type BearerToken } from './bearer-token.js';
export type { AccessTokenClaims } from './claims.js';
export { GuardModule } from './guard.module.js';
export { GUARD_DEFAULTS, type GuardOptions } from './guard.options.js';
export { JwtAuthGuard } from './jwt-auth.guard.js';
export { UnknownPermissionError } from './permissions.guard.js';
