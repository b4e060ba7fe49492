export { proofGeneration, strangerOf, type Caller } from './caller.js';
export { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from './credential-accounts.js';
export { CREDENTIAL_PROVIDERS, LOGIN_OPTIONS, LOGIN_PROVIDERS } from './credential-providers.js';
export { DeviceCookies } from './device-cookies.js';
export { FACTOR_NOTICES, type FactorNotices } from './factors/factor-notices.js';
export { OwnFactors, type EnrolmentOutcome } from './factors/own-factors.js';
export {
  RECOVERY_CODE,
  RecoveryCodesFactor,
} from './factors/recovery-codes/recovery-codes.factor.js';
export { PasskeyLogins } from './factors/passkeys/passkey-logins.js';
export { PASSKEY } from './factors/passkeys/passkey.factor.js';
export { SecondFactors, type Enrolled, type PresentedProof } from './factors/second-factors.js';
export { SecondSteps, type OwnProofCheck, type SecondStepRequest } from './factors/second-steps.js';
export {
  ADDED_SECOND_FACTORS,
  FACTOR_TYPE_PATTERN,
  type ProofContext,
  type SecondFactor,
} from './factors/second-factor.js';
export { TotpFactor } from './factors/totp/totp.factor.js';
export { recordLogin } from './login-audit.js';
export { Argon2PasswordHasher } from './password/argon2-password-hasher.js';
export { PasswordChecks, type Refusal } from './password/password-checks.js';
export { HashingOverloadedError, HashingQueue } from './password/hashing-queue.js';
export { importedHashIn, storedImportedHash } from './password/imported-hash.js';
export { NewPasswords, type AcceptedPassword } from './password/new-passwords.js';
export { PASSWORD_HASHER, type PasswordHasher } from './password/password-hasher.js';
export { PasswordLogins, type LoginRequest } from './password/password-logins.js';
export {
  PASSWORD_OPTIONS,
  type HashingOptions,
  type PasswordOptions,
} from './password/password.options.js';
export { PASSWORD_MAX_LENGTH } from './password/password-policy.js';
export {
  SensitiveChanges,
  type ChangingUser,
  type ReauthenticationRequired,
} from './password/sensitive-changes.js';
export { readHash } from './password/schemes/index.js';
export { recordThrottling } from './throttled-attempts.js';
