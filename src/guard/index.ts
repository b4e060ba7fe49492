/** For services that check the tokens of a Keyslot cluster and issue none. It does not load the password hashing. */
export {
  CurrentPrincipal,
  CurrentUser,
  principalOfClient,
  Public,
  RecentLoginGuard,
  RequirePermissions,
  RequireRecentLogin,
  RequireUnlimitedToken,
  Roles,
  type AuthenticatedUser,
  type ClientPrincipal,
  type Permission,
  type Principal,
  type UserPrincipal,
} from '../common/authentication/index.js';
export { requestOf, type CallRequest } from '../common/transport/index.js';
export { KeyRing, KeyRingModule, type KeyRingOptions } from '../keys/read/index.js';
export { MetricsRegistry } from '../metrics/registry/index.js';
export { NearCache } from '../near-cache/index.js';
export { RoleReader } from '../roles/read/index.js';
export { answerGuardError } from './answer-guard-error.js';
export { isGuardError } from './guard-problem.js';
export { AccessTokenValidator } from './access-token-validator.js';
export { AccessWatch, type AccessEnd } from './access-watch.js';
export { bearerToken, type BearerToken } from './bearer-token.js';
export {
  isOfUser,
  type AccessTokenClaims,
  type ClientTokenClaims,
  type UserTokenClaims,
} from './claims.js';
export { GuardModule } from './guard.module.js';
export { GuardProblemFilter } from './guard-problem.filter.js';
export { ANY_AUDIENCE, GUARD_DEFAULTS, type GuardOptions } from './guard.options.js';
export { JwtAuthGuard, type GuardedRequest } from './jwt-auth.guard.js';
export { PermissionCheck } from './permission-check.js';
export { KeyslotGuardModule, type KeyslotAsyncOptions } from './service/keyslot-guard.module.js';
export {
  connectKeyslot,
  KeyslotError,
  type ConnectOptions,
  type Keyslot,
  type KeyslotLogger,
  type KeyslotOptions,
  type NodeRequest,
  type ServiceIdentity,
  type ServiceRedisOptions,
  type ServiceTls,
} from './service/index.js';
export { lacksSecondFactor } from './second-factor-rule.js';
export { SessionReaderModule } from './session-reader.module.js';
export { VerifiedTokens } from './verified-tokens.js';
