import type { Provider } from '@nestjs/common';

import { Clock } from '../common/clock/index.js';
import { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from './credential-accounts.js';
import { RateLimiter } from '../rate-limit/index.js';
import { FactorWriter } from '../user-slot/write/index.js';
import { DeviceCookies, type DeviceCookieOptions } from './device-cookies.js';
import { LoginChallenges } from './factors/login-challenges.js';
import { OwnFactors } from './factors/own-factors.js';
import { RecoveryCodesFactor } from './factors/recovery-codes/recovery-codes.factor.js';
import { PasskeyChallenges } from './factors/passkeys/passkey-challenges.js';
import { PasskeyLogins } from './factors/passkeys/passkey-logins.js';
import { PasskeyFactor } from './factors/passkeys/passkey.factor.js';
import {
  ADDED_SECOND_FACTORS,
  SECOND_FACTORS,
  type SecondFactor,
} from './factors/second-factor.js';
import { SecondFactors } from './factors/second-factors.js';
import { SecondSteps } from './factors/second-steps.js';
import { TotpFactor } from './factors/totp/totp.factor.js';
import { Argon2PasswordHasher } from './password/argon2-password-hasher.js';
import { PasswordChecks } from './password/password-checks.js';
import { HashingQueue } from './password/hashing-queue.js';
import { NewPasswords } from './password/new-passwords.js';
import { PASSWORD_HASHER } from './password/password-hasher.js';
import { PasswordLogins } from './password/password-logins.js';
import { PASSWORD_OPTIONS, type PasswordOptions } from './password/password.options.js';
import { SensitiveChanges } from './password/sensitive-changes.js';

/*
 * The services of this module. Register each kind of factor here. `credentials` is not a Nest module of its own, because the
 * services of users and of credentials need each other. UsersModule and AuthModule provide them.
 */

/** Provided by UsersModule, which also provides CREDENTIAL_ACCOUNTS and PASSWORD_OPTIONS. */
export const CREDENTIAL_PROVIDERS: Provider[] = [
  {
    provide: PASSWORD_HASHER,
    inject: [PASSWORD_OPTIONS],
    useFactory: ({ hashing }: PasswordOptions) => new Argon2PasswordHasher(hashing),
  },
  HashingQueue,
  NewPasswords,
  PasswordChecks,
  SensitiveChanges,
];

export interface LoginOptions extends DeviceCookieOptions {
  /** The URL of the pages that use passkeys. */
  readonly publicUrl: string;
}

export const LOGIN_OPTIONS = Symbol('LOGIN_OPTIONS');

/** As people see it in their authenticators. */
const SERVICE_NAME = 'Keyslot';

/** Provided by AuthModule, which also provides LOGIN_OPTIONS. UsersModule provides FactorWriter. */
export const LOGIN_PROVIDERS: Provider[] = [
  {
    provide: DeviceCookies,
    inject: [Clock, CREDENTIAL_ACCOUNTS, LOGIN_OPTIONS],
    useFactory: (clock: Clock, accounts: CredentialAccounts, options: LoginOptions) =>
      new DeviceCookies(clock, accounts, options),
  },
  PasswordLogins,
  { provide: TotpFactor, useFactory: () => new TotpFactor(SERVICE_NAME) },
  RecoveryCodesFactor,
  {
    provide: PasskeyFactor,
    inject: [LOGIN_OPTIONS],
    useFactory: ({ publicUrl }: LoginOptions) => {
      const { origin, hostname: id } = new URL(publicUrl);
      return new PasskeyFactor({ id, origin }, SERVICE_NAME);
    },
  },
  {
    provide: SECOND_FACTORS,
    inject: [ADDED_SECOND_FACTORS, TotpFactor, RecoveryCodesFactor, PasskeyFactor],
    useFactory: (added: readonly SecondFactor[], ...own: SecondFactor[]) => [...own, ...added],
  },
  { provide: ADDED_SECOND_FACTORS, useValue: [] },
  {
    provide: SecondFactors,
    inject: [SECOND_FACTORS, FactorWriter, RateLimiter, Clock, LOGIN_OPTIONS],
    useFactory: (
      kinds: readonly SecondFactor[],
      writer: FactorWriter,
      limiter: RateLimiter,
      clock: Clock,
      { secret }: LoginOptions,
    ) => new SecondFactors(kinds, writer, limiter, clock, secret),
  },
  {
    provide: LoginChallenges,
    inject: [LOGIN_OPTIONS],
    useFactory: ({ secret }: LoginOptions) => new LoginChallenges(secret),
  },
  {
    provide: PasskeyChallenges,
    inject: [LOGIN_OPTIONS],
    useFactory: ({ secret }: LoginOptions) => new PasskeyChallenges(secret),
  },
  PasskeyLogins,
  SecondSteps,
  OwnFactors,
];
