import { EventEmitter2 } from '@nestjs/event-emitter';

import { AuditLog, type AuditEvent } from '../../src/audit/index.js';
import type { RolesOptions } from '../../src/common/authentication/index.js';
import { NewPasswords, SensitiveChanges } from '../../src/credentials/index.js';
import { MailOutbox } from '../../src/mail/index.js';
import { RateLimiter } from '../../src/rate-limit/index.js';
import { RoleReader } from '../../src/roles/index.js';
import type { Accounts } from '../../src/users/store/accounts.js';
import {
  Argon2PasswordHasher,
  PasswordChecks,
  HashingQueue,
  RedisAccounts,
  UserAdministration,
  UsersService,
  type UsersOptions,
  type UserStore,
} from '../../src/users/index.js';
import { AccountsKeepingAdministrators } from '../../src/users/administrators/accounts-keeping-administrators.js';
import { AdministratorRegistry } from '../../src/users/administrators/administrator-registry.js';
import { AccountNotices } from '../../src/users/account-mails/account-notices.js';
import { EmailVerifications } from '../../src/users/account-mails/email-verifications.js';
import { OneTimeTokens } from '../../src/users/account-mails/one-time-tokens.js';
import { PasswordResets } from '../../src/users/account-mails/password-resets.js';
import { credentialAccounts } from '../../src/users/credential-accounts.js';
import { AccountsInDirectory } from '../../src/users/directory/accounts-in-directory.js';
import { DirectoryCheck } from '../../src/users/directory/directory-check.js';
import { DirectoryIndex } from '../../src/users/directory/directory-index.js';
import { RedisUserDirectory } from '../../src/users/directory/redis-user-directory.js';
import { AdministrationAuthority } from '../../src/users/administration-authority.js';
import { PasswordChanges } from '../../src/users/password-changes.js';
import { ProfileChanges } from '../../src/users/profile-changes.js';
import { Registrations } from '../../src/users/registrations.js';
import { ValidatingUserStore } from '../../src/users/store/validating-user-store.js';
import { MirroredAccounts } from '../../src/users/store/mirrored-accounts.js';
import { UserNames } from '../../src/users/names/user-names.js';
import { SESSION_LIMITS, SessionReader, UserReader } from '../../src/user-slot/read/index.js';
import { FactorWriter, OneTimeTokenStore, UserWriter } from '../../src/user-slot/write/index.js';
import { CHEAP_HASHING } from './cheap-hashing.js';
import type { CacheInstance } from './near-cache.js';

/** The users of one instance, wired as UsersModule does. */
export interface TestUsers {
  readonly users: UsersService;
  readonly registrations: Registrations;
  readonly administration: UserAdministration;
  readonly registry: AdministratorRegistry;
  readonly credentials: PasswordChecks;
  readonly names: UserNames;
  readonly reader: UserReader;
  readonly writer: UserWriter;
  readonly accounts: Accounts;
  readonly redisStore: RedisAccounts;
  readonly index: DirectoryIndex;
  readonly directory: RedisUserDirectory;
  readonly check: DirectoryCheck;
  readonly audit: AuditLog;
  /** The events recorded so far. */
  readonly events: readonly AuditEvent[];
}

/**
 * Hashes of passwords are cheap, unless the options say otherwise.
 *
 * @param store the user store, if it is not Redis
 */
export function usersOn(
  { redis, cache, clock }: CacheInstance,
  given: Partial<UsersOptions & RolesOptions> = {},
  store?: UserStore,
): TestUsers {
  const options: UsersOptions & RolesOptions = {
    isRegistrationOpen: true,
    hashing: CHEAP_HASHING,
    ...given,
  };
  const reader = new UserReader(redis, cache);
  const writer = new UserWriter(redis, cache, reader);
  const names = new UserNames(redis, writer, options);
  const hasher = new HashingQueue(new Argon2PasswordHasher(options.hashing), options);
  const redisStore = new RedisAccounts(names, reader, writer);
  const index = new DirectoryIndex(redis);
  const directory = new RedisUserDirectory(index, reader);
  const registry = new AdministratorRegistry(redis);
  const accounts = new AccountsKeepingAdministrators(
    store
      ? new MirroredAccounts(new ValidatingUserStore(store), reader, writer)
      : new AccountsInDirectory(redisStore, index, directory, writer),
    registry,
    clock,
  );
  const events: AuditEvent[] = [];
  const audit = new AuditLog({ record: (event) => void events.push(event) }, new EventEmitter2());
  const limiter = new RateLimiter(redis, {}, clock);
  const credentials = new PasswordChecks(
    credentialAccounts(accounts),
    hasher,
    limiter,
    clock,
    audit,
  );
  const sensitiveChanges = new SensitiveChanges(credentials, clock);
  const factors = new FactorWriter(redis, cache);
  const passwords = new NewPasswords(hasher, factors, options);
  // Without a mailer, so that no mails are added.
  const outbox = new MailOutbox(redis);
  const notices = new AccountNotices(outbox, clock);
  const roles = new RoleReader(redis, cache, options);
  const registrations = new Registrations(
    accounts,
    passwords,
    limiter,
    roles,
    outbox,
    audit,
    options,
  );
  const tokens = new OneTimeTokens(new OneTimeTokenStore(redis));
  const users = new UsersService(
    accounts,
    new ProfileChanges(
      accounts,
      sensitiveChanges,
      new EmailVerifications(
        accounts,
        outbox,
        tokens,
        new SessionReader(redis, cache, SESSION_LIMITS),
        notices,
        limiter,
        audit,
      ),
      notices,
      limiter,
      audit,
    ),
    new PasswordChanges(accounts, sensitiveChanges, passwords, notices, audit),
    sensitiveChanges,
    reader,
    registrations,
    audit,
  );
  const administration = new UserAdministration(
    accounts,
    factors,
    new AdministrationAuthority(accounts, roles, sensitiveChanges, audit),
    roles,
    notices,
    new PasswordResets(accounts, outbox, tokens, passwords, notices, limiter, audit),
    audit,
  );
  return {
    users,
    registrations,
    administration,
    registry,
    credentials,
    names,
    reader,
    writer,
    accounts,
    redisStore,
    index,
    directory,
    check: new DirectoryCheck(index, directory, clock, options),
    audit,
    events,
  };
}
