import type * as contracts from '../../src/contracts/index.js';
import type * as keyslot from '../../src/index.js';

/**
 * The public API for applications that extend Keyslot. After an incompatible change of it, this file does not compile.
 */
type Same<A, B> = [A, B] extends [B, A]
  ? true
  : { readonly missing: Exclude<B, A>; readonly new: Exclude<A, B> };
const isSame = <A, B>(same: Same<A, B>): Same<A, B> => same;

export const surface = [
  isSame<
    keyof typeof keyslot,
    | 'AccessTokenValidator'
    | 'AccessWatch'
    | 'AllSessions'
    | 'ApiProblems'
    | 'AppModule'
    | 'Argon2PasswordHasher'
    | 'AUDIT_SINK'
    | 'AuditLog'
    | 'AUDIT_TRAIL'
    | 'AuditModule'
    | 'AuditTrailUnavailableError'
    | 'AuthModule'
    | 'bearerToken'
    | 'BODY_PROBLEMS'
    | 'CacheKey'
    | 'canonicalUsername'
    | 'CHANGE_NUMBER'
    | 'ContentSecurityPolicy'
    | 'createApp'
    | 'CurrentPrincipal'
    | 'CurrentUser'
    | 'Deadline'
    | 'DefaultMailTemplates'
    | 'emailAddress'
    | 'EntityIdPipe'
    | 'FormBody'
    | 'IgnoreBody'
    | 'IMPORT_FORMATS'
    | 'GUARD_PROBLEMS'
    | 'HashingOverloadedError'
    | 'GuardModule'
    | 'GuardProblemFilter'
    | 'HealthModule'
    | 'isBoolean'
    | 'isText'
    | 'JwtAuthGuard'
    | 'KeyBuilder'
    | 'KeyRing'
    | 'KeyRingModule'
    | 'KeysModule'
    | 'listOf'
    | 'loadSettings'
    | 'LuaScript'
    | 'MAIL_TEMPLATES'
    | 'MAILER'
    | 'MailModule'
    | 'MatchesRule'
    | 'MetricsModule'
    | 'MetricsRegistry'
    | 'MissingRightError'
    | 'NearCache'
    | 'NearCacheModule'
    | 'NotConfirmedError'
    | 'OAuthError'
    | 'OAuthErrors'
    | 'OAuthModule'
    | 'OptionalNotNull'
    | 'OwnFactors'
    | 'PASSWORD_HASHER'
    | 'principalOfClient'
    | 'Problem'
    | 'Origin'
    | 'ProblemFilter'
    | 'Public'
    | 'RateLimiter'
    | 'RateLimitModule'
    | 'readJsonFile'
    | 'RedisCluster'
    | 'RedisClusterHealth'
    | 'RedisClusterModule'
    | 'RedisUnavailableError'
    | 'RefusedRecord'
    | 'RequestDeadline'
    | 'RequestOrigin'
    | 'RequestValidationPipe'
    | 'RequirePermissions'
    | 'RequireRecentLogin'
    | 'RequireUnlimitedToken'
    | 'WithoutSecondFactor'
    | 'RoleAdministration'
    | 'RoleReader'
    | 'Roles'
    | 'RolesModule'
    | 'run'
    | 'Secret'
    | 'ServiceAccountAdministration'
    | 'ServiceAccountsModule'
    | 'SessionReaderModule'
    | 'SessionsModule'
    | 'SessionsService'
    | 'SettingsError'
    | 'SigningKeys'
    | 'textBetween'
    | 'untilReady'
    | 'UserAdministration'
    | 'UserExport'
    | 'UserImport'
    | 'UsersModule'
    | 'UsersService'
    | 'UserStoreError'
    | 'UserStoreUnavailableError'
  >(true),
  isSame<
    keyof typeof contracts,
    | 'auditSinkContract'
    | 'auditTrailContract'
    | 'InMemoryUserStore'
    | 'passwordHasherContract'
    | 'secondFactorContract'
    | 'userDirectoryContract'
    | 'userStoreContract'
  >(true),
  isSame<
    keyof keyslot.AppExtensions,
    | 'apiDocs'
    | 'auditSink'
    | 'auditTrail'
    | 'configure'
    | 'imports'
    | 'mailer'
    | 'mailTemplates'
    | 'passwordHasher'
    | 'redisIdentity'
    | 'roles'
    | 'secondFactors'
    | 'userDirectory'
    | 'userStore'
    | 'validation'
  >(true),
  isSame<keyslot.Principal, keyslot.UserPrincipal | keyslot.ClientPrincipal>(true),
  isSame<
    keyof keyslot.UserPrincipal,
    'authTime' | 'kind' | 'scope' | 'sessionId' | 'tokenId' | 'user' | 'userId'
  >(true),
  isSame<
    keyof keyslot.ClientPrincipal,
    'clientId' | 'epoch' | 'expiresAtSeconds' | 'kind' | 'permissions' | 'tokenId'
  >(true),
  isSame<
    keyof keyslot.NearCache,
    | 'change'
    | 'changeInSlot'
    | 'get'
    | 'getFromSlot'
    | 'holderId'
    | 'holdersOf'
    | 'isHeldUp'
    | 'isTrusted'
    | 'keepApartFrom'
    | 'leaseKey'
    | 'onDrop'
    | 'peek'
    | 'readAsHolder'
    | 'readFromSlot'
    | 'settle'
    | 'untilTrusted'
  >(true),
  isSame<Parameters<keyslot.PasswordHasher['hash']>, [password: keyslot.Secret]>(true),
  isSame<Parameters<keyslot.PasswordHasher['verify']>, [hash: string, password: keyslot.Secret]>(
    true,
  ),
  isSame<Parameters<keyslot.PasswordHasher['isOutdated']>, [hash: string]>(true),
  isSame<keyof keyslot.PasswordHasher, 'hash' | 'isOutdated' | 'verify'>(true),
  isSame<
    keyof keyslot.UserStore,
    'change' | 'create' | 'delete' | 'find' | 'findByUsername' | 'renewHash'
  >(true),
  isSame<
    Parameters<keyslot.UserStore['create']>,
    [user: keyslot.NewUser, passwordHash: () => Promise<keyslot.Secret>, deadline: keyslot.Deadline]
  >(true),
  isSame<
    Parameters<keyslot.UserStore['change']>,
    [userId: string, change: keyslot.StoredChange, ifRevision: string, deadline: keyslot.Deadline]
  >(true),
  isSame<
    Parameters<keyslot.UserStore['delete']>,
    [userId: string, ifRevision: string, deadline: keyslot.Deadline]
  >(true),
  isSame<
    keyof keyslot.NewUser,
    | 'createdAt'
    | 'displayName'
    | 'email'
    | 'id'
    | 'isDisabled'
    | 'roles'
    | 'username'
    | 'usernameKey'
    | 'verifiedEmail'
  >(true),
  isSame<
    keyof keyslot.StoredChange,
    'displayName' | 'email' | 'isDisabled' | 'password' | 'roles' | 'verifiedEmail'
  >(true),
  isSame<Parameters<keyslot.AuditSink['record']>, [event: keyslot.AuditEvent, at: Date]>(true),
];

/** Types only. */
export type Types = [
  keyslot.AppSettings,
  keyslot.Attempted<unknown>,
  keyslot.AttemptResult,
  keyslot.Actor,
  keyslot.AdministrationCaller,
  keyslot.AuditEventType,
  keyslot.AuditOptions,
  keyslot.AuditResult,
  keyslot.AuthenticatedUser,
  keyslot.AuthOptions,
  keyslot.DomainEvent,
  keyslot.FailureLimit,
  keyslot.GetOptions<unknown>,
  keyslot.ExportedUser,
  keyslot.HashingOptions,
  keyslot.ImportCounts,
  keyslot.ImportedPassword,
  keyslot.ImportedUser,
  keyslot.ImportFormat,
  keyslot.ImportOptions,
  keyslot.GuardOptions,
  keyslot.KeyRingOptions,
  keyslot.KeysOptions,
  keyslot.NearCacheOptions,
  keyslot.NewUser,
  keyslot.OriginFacts,
  keyslot.Permission,
  keyslot.ProblemCode,
  keyslot.Position,
  keyslot.ProblemOptions,
  keyslot.PublicKeys,
  keyslot.RateLimitOptions,
  keyslot.RecordedEvent<string>,
  keyslot.RedisClusterOptions,
  keyslot.ReadRecord,
  keyslot.RedisNodeAddress,
  keyslot.RefusalReason,
  keyslot.Replacement<keyslot.AuditSink>,
  keyslot.Rule,
  keyslot.RuleFailure,
  keyslot.Session,
  keyslot.SessionsOptions,
  keyslot.Settings,
  keyslot.SigningKey,
  keyslot.SlotCall<unknown>,
  keyslot.SlotRead,
  keyslot.SlotWrite<unknown>,
  keyslot.SourceRecord,
  keyslot.StoredChange,
  keyslot.TooManyAttempts,
  keyslot.User,
  keyslot.UserRecord,
  keyslot.UserStore,
  keyslot.UsersOptions,
  contracts.AuditSinkSubject,
  contracts.TestRunner,
];
