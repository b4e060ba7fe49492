/**
 * The public API for applications that extend Keyslot, see docs/extending.md. Everything else may change at any time.
 */
export type { ApiDocsOptions } from './api-docs/index.js';
export {
  AppModule,
  type AppExtensions,
  type AppSettings,
  type ValidationExtension,
} from './app.module.js';
export {
  AUDIT_SINK,
  AUDIT_TRAIL,
  AuditLog,
  AuditModule,
  AuditTrailUnavailableError,
  type AuditEvent,
  type AuditEventType,
  type AuditOptions,
  type AuditResult,
  type AuditSink,
  type AuditTrail,
  type DomainEvent,
  type RecordedEvent,
  type TrailEvent,
  type TrailPage,
  type TrailQuery,
} from './audit/index.js';
export {
  AuthModule,
  OwnFactors,
  type AuthOptions,
  type Enrolled,
  type EnrolmentOutcome,
  type ProofContext,
  type SecondFactor,
} from './auth/index.js';
export { createApp } from './bootstrap/create-app.js';
export { run } from './bootstrap/run.js';
export { untilReady } from './bootstrap/until-ready.js';
export {
  CurrentPrincipal,
  CurrentUser,
  principalOfClient,
  Public,
  RequirePermissions,
  RequireUnlimitedToken,
  Roles,
  WithoutSecondFactor,
  type AdministrationCaller,
  type AuthenticatedUser,
  type ClientPrincipal,
  type Permission,
  type Principal,
  type Role,
  type RoleSource,
  type UserPrincipal,
} from './common/authentication/index.js';
export { Deadline, RequestDeadline } from './common/deadline/index.js';
export {
  ContentSecurityPolicy,
  FormBody,
  IgnoreBody,
  OAuthError,
  OAuthErrors,
  type OAuthErrorCode,
} from './common/http/index.js';
export { Origin, RequestOrigin, type Actor, type OriginFacts } from './common/origin/index.js';
export type { Replacement } from './common/configurable-module/index.js';
export { ApiProblems } from './common/api-problems/index.js';
export {
  BODY_PROBLEMS,
  GUARD_PROBLEMS,
  Problem,
  type Language,
  type ProblemCode,
  type ProblemOptions,
} from './common/problem/index.js';
export { Secret } from './common/secret/index.js';
export {
  emailAddress,
  EntityIdPipe,
  isBoolean,
  isText,
  listOf,
  MatchesRule,
  OptionalNotNull,
  RequestValidationPipe,
  textBetween,
  type Rule,
  type RuleFailure,
} from './common/validation/index.js';
export { loadSettings, SettingsError, type Settings } from './config/index.js';
export {
  AccessTokenValidator,
  AccessWatch,
  bearerToken,
  GuardModule,
  GuardProblemFilter,
  JwtAuthGuard,
  RequireRecentLogin,
  SessionReaderModule,
  type BearerToken,
  type GuardOptions,
  type AccessEnd,
} from './guard/index.js';
export { HealthModule } from './health/index.js';
export { ProblemFilter } from './http/index.js';
export {
  KeyRing,
  KeyRingModule,
  KeysModule,
  SigningKeys,
  type KeyRingOptions,
  type KeysOptions,
  type PublicKeys,
  type SigningKey,
} from './keys/index.js';
export {
  DefaultMailTemplates,
  MAIL_TEMPLATES,
  MAILER,
  MailModule,
  type Mailer,
  type MailContent,
  type MailKind,
  type MailMessage,
  type MailOptions,
  type MailOutcome,
  type MailTemplates,
  type MailValues,
  type SmtpOptions,
} from './mail/index.js';
export { MetricsModule, MetricsRegistry } from './metrics/index.js';
export {
  CacheKey,
  CHANGE_NUMBER,
  NearCache,
  NearCacheModule,
  type GetOptions,
  type NearCacheOptions,
  type SlotCall,
  type SlotRead,
  type SlotWrite,
} from './near-cache/index.js';
export { OAuthModule, type OAuthOptions } from './oauth/index.js';
export {
  RateLimiter,
  RateLimitModule,
  type Attempted,
  type AttemptResult,
  type FailureLimit,
  type RateLimitOptions,
  type TooManyAttempts,
} from './rate-limit/index.js';
export {
  KeyBuilder,
  LuaScript,
  MissingRightError,
  NotConfirmedError,
  RedisCluster,
  RedisClusterHealth,
  RedisClusterModule,
  RedisUnavailableError,
  type RedisClusterOptions,
  type RedisNodeAddress,
} from './redis-cluster/index.js';
export {
  RoleAdministration,
  RoleReader,
  RolesModule,
  type RoleChangeOutcome,
  type RoleDeletionOutcome,
  type RoleRefusal,
} from './roles/index.js';
export {
  ServiceAccountAdministration,
  ServiceAccountsModule,
  type AccountChange,
  type AccountChangeOutcome,
  type AccountCreationOutcome,
  type AccountDeletionOutcome,
  type AccountRefusal,
  type AccountRequest,
  type AccountSecret,
  type ClientKey,
  type ClientKeySet,
  type InvalidAccount,
  type NewClientSecret,
  type SecretCreationOutcome,
  type ServiceAccount,
  type ServiceAccountsOptions,
} from './service-accounts/index.js';
export {
  AllSessions,
  SessionsModule,
  SessionsService,
  type RevokedToken,
  type Session,
  type SessionsOptions,
} from './sessions/index.js';
export {
  Argon2PasswordHasher,
  canonicalUsername,
  HashingOverloadedError,
  IMPORT_FORMATS,
  PASSWORD_HASHER,
  readJsonFile,
  RefusedRecord,
  UserAdministration,
  UserExport,
  UserImport,
  UsersModule,
  UsersService,
  UserStoreError,
  UserStoreUnavailableError,
  type AdministrationOutcome,
  type AdministrationRefusal,
  type ExportedUser,
  type HashingOptions,
  type ImportCounts,
  type ImportedPassword,
  type ImportedUser,
  type ImportFormat,
  type ImportOptions,
  type NewUser,
  type PasswordHasher,
  type Position,
  type ReadRecord,
  type RefusalReason,
  type SessionsEndOutcome,
  type SourceRecord,
  type StoredChange,
  type User,
  type UserRecord,
  type UserRemovalOutcome,
  type ListedUser,
  type UserDirectory,
  type UserPage,
  type UserQuery,
  type UserStore,
  type UsersOptions,
} from './users/index.js';
