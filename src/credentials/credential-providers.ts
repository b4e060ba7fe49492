import type { Provider } from '@nestjs/common';

import { Clock } from '../common/clock/index.js';
import { CREDENTIAL_ACCOUNTS, type CredentialAccounts } from './credential-accounts.js';
import { DeviceCookies, type DeviceCookieOptions } from './device-cookies.js';
import { Argon2PasswordHasher } from './password/argon2-password-hasher.js';
import { PasswordChecks } from './password/password-checks.js';
import { HashingQueue } from './password/hashing-queue.js';
import { NewPasswords } from './password/new-passwords.js';
import { PASSWORD_HASHER } from './password/password-hasher.js';
import { PasswordLogins } from './password/password-logins.js';
import { PASSWORD_OPTIONS, type PasswordOptions } from './password/password.options.js';
import { Reauthentication } from './password/reauthentication.js';

/*
 * The services of this module. Register each kind of factor here. `AuthService` asks for the second step of a login. `credentials` is not a Nest module of its own, because the
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
  Reauthentication,
];

export const DEVICE_COOKIE_OPTIONS = Symbol('DEVICE_COOKIE_OPTIONS');

/** Provided by AuthModule, which also provides DEVICE_COOKIE_OPTIONS. */
export const LOGIN_PROVIDERS: Provider[] = [
  {
    provide: DeviceCookies,
    inject: [Clock, CREDENTIAL_ACCOUNTS, DEVICE_COOKIE_OPTIONS],
    useFactory: (clock: Clock, accounts: CredentialAccounts, options: DeviceCookieOptions) =>
      new DeviceCookies(clock, accounts, options),
  },
  PasswordLogins,
];
