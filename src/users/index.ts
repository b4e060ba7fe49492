export { ChangePasswordRequest } from './dto/change-password.request.dto.js';
export { FactorResponse, FactorsResponse } from './dto/factors.response.dto.js';
export { BootstrapAdministrator, BootstrapAdministratorError } from './bootstrap-administrator.js';
export {
  Argon2PasswordHasher,
  PasswordChecks,
  HashingOverloadedError,
  HashingQueue,
  PASSWORD_HASHER,
  type HashingOptions,
  type PasswordHasher,
} from '../credentials/index.js';
export { RedisAccounts } from './store/redis-accounts.js';
export type { AdministrationCaller } from '../common/authentication/index.js';
export type { User, UserRecord } from './user.js';
export type { StoredChange } from '../user-slot/read/index.js';
export { canonicalUsername, usernameDigest, usernameSkeletons } from './names/username.js';
export { UserAdministration } from './user-administration.js';
export type {
  AdministrationOutcome,
  AdministrationRefusal,
  SessionsEndOutcome,
  UserRemovalOutcome,
} from './user-administration.outcomes.js';
export { LostFactors } from './lost-factors.js';
export { AccountNotices } from './account-mails/account-notices.js';
export { PasswordResets, type ResetSubject } from './account-mails/password-resets.js';
export { SeparateHashes, type SeparatedHashes } from './separate-hashes.js';
export { administrationProblem } from './user-administration.problems.js';
export { ownUserProblem } from './own-user.problems.js';
export { UsersModule } from './users.module.js';
export type { UsersOptions } from './users.options.js';
export { UsersService } from './users.service.js';
export { ListedUsers } from './directory/listed-users.js';
export { UserExport, type ExportedUser } from './export/user-export.js';
export { IMPORT_FORMATS, formatOf, redisJsonFormat } from './import/formats/index.js';
export {
  REFUSALS,
  RefusedRecord,
  type ImportedPassword,
  type ImportedUser,
  type ImportFormat,
  type Position,
  type ReadRecord,
  type RefusalReason,
  type SourceRecord,
} from './import/imported-user.js';
export { readJsonFile } from './import/json-file.js';
export { readRedisJson } from './import/redis-json-source.js';
export type { ImportCounts, ImportOptions } from './import/import-counts.js';
export { UserImport } from './import/user-import.js';
export type { ListedUser, UserDirectory, UserPage, UserQuery } from './directory/user-directory.js';
export {
  UserStoreError,
  UserStoreUnavailableError,
  type NewUser,
  type UserStore,
} from './store/user-store.js';
