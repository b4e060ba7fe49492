import { Inject, Injectable } from '@nestjs/common';

import { AuditLog } from '../../audit/index.js';
import { forEachConcurrently } from '../../common/concurrency/index.js';
import { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import { Secret } from '../../common/secret/index.js';
import { HashingQueue, storedImportedHash } from '../../credentials/index.js';
import { RoleReader } from '../../roles/read/index.js';
import type { RedisRecord, UserRecord } from '../../user-slot/read/index.js';
import { changeEvents } from '../change-events.js';
import { findByUsername } from '../find-by-username.js';
import { canonicalUsername, displayedUsername, usernameSkeletons } from '../names/username.js';
import { ACCOUNTS, IdInUseError, type Accounts, type NewAccount } from '../store/accounts.js';
import { untilAnswered } from '../until-answered.js';
import { USERS_OPTIONS } from '../users.module-definition.js';
import type { UsersOptions } from '../users.options.js';
import { checkUser } from './check-user.js';
import type { ImportCounts, ImportOptions } from './import-counts.js';
import { importId } from './import-id.js';
import {
  RefusedRecord,
  type ImportedPassword,
  type ImportFormat,
  type SourceRecord,
} from './imported-user.js';
import { SeenNames } from './seen-names.js';

/** Time to read the roles. */
const ROLES_TIMEOUT_MS = 10_000;
/** Concurrent writes share round trips. The limit leaves capacity for the requests of running instances. */
const CONCURRENCY = 64;

type Outcome = keyof ImportCounts | RefusedRecord;
/** Whether a change of a user who was present has disabled the user. */
type Completion = 'present' | 'disabled' | 'notDisabled';

/**
 * Imports users with the password hashes of other systems. Each user is created like a registered one, in this installation's
 * store of users. The rules for names and profiles apply, the rules for new passwords do not.
 *
 * An import can be repeated after any failure: a user of an earlier run has the same id, and is not changed, except that a user
 * whom the record disables is disabled, and that an address becomes confirmed if it is confirmed in the record.
 */
@Injectable()
export class UserImport {
  /** Users in progress, by id and by each form of the name. */
  private readonly inProgress = new Map<string, Promise<unknown>>();

  constructor(
    @Inject(ACCOUNTS) private readonly accounts: Accounts,
    private readonly queue: HashingQueue,
    private readonly roles: RoleReader,
    private readonly audit: AuditLog,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
  ) {}

  /**
   * @throws NotConfirmedError, RedisUnavailableError, UserStoreUnavailableError: nothing answered for a minute. UserStoreError, and
   * errors of `records`. Repeating it is safe
   */
  async run(
    format: ImportFormat,
    records: AsyncIterable<SourceRecord>,
    { isDryRun = false, onRefused, onProgress }: ImportOptions,
    origin: Origin,
  ): Promise<ImportCounts> {
    const counts = { imported: 0, present: 0, disabled: 0, notDisabled: 0, refused: 0, ignored: 0 };
    const { names } = await this.roles.current(Deadline.after(ROLES_TIMEOUT_MS));
    const seen = isDryRun ? new SeenNames() : undefined;
    let isComplete = false;
    try {
      await forEachConcurrently(records, CONCURRENCY, async (record) => {
        const read = readRecord(format, record);
        const outcome = await this.outcomeOf(format, read, names, seen, origin);
        if (outcome instanceof RefusedRecord) {
          onRefused(record, outcome, usernameIn(read));
        }
        counts[outcome instanceof RefusedRecord ? 'refused' : outcome] += 1;
        counts.present += outcome === 'disabled' || outcome === 'notDisabled' ? 1 : 0;
        onProgress?.(counts);
      });
      isComplete = true;
      return counts;
    } finally {
      if (!isDryRun) {
        this.audit.record({
          type: 'users-imported',
          result: isComplete ? 'success' : 'failure',
          reason: isComplete ? undefined : 'incomplete',
          ...origin.facts,
          details: { format: format.name, ...counts },
        });
      }
    }
  }

  private async outcomeOf(
    format: ImportFormat,
    read: ReturnType<typeof readRecord>,
    roles: readonly string[],
    seen: SeenNames | undefined,
    origin: Origin,
  ): Promise<Outcome> {
    if (read === 'ignored' || read instanceof RefusedRecord) {
      return read;
    }
    const refusal = checkUser(read, roles, this.options.administrator?.username);
    if (refusal) {
      return refusal;
    }
    const usernameKey = canonicalUsername(read.username);
    const account: NewAccount = {
      id: read.id ?? importId(format.name, read.sourceId, usernameKey),
      username: displayedUsername(read.username),
      usernameKey,
      email: read.email,
      verifiedEmail: read.isEmailVerified === true ? read.email : null,
      displayName: read.displayName,
      roles: [...new Set(read.roles)],
      createdAt: read.createdAt,
      isDisabled: read.isDisabled,
      isRepeated: true,
    };
    return this.inOrder(keysOf(account), async () =>
      untilAnswered(async (deadline) =>
        seen
          ? this.forecast(account, seen, deadline)
          : this.create(account, read.password, origin, deadline),
      ),
    );
  }

  private async create(
    account: NewAccount,
    password: ImportedPassword,
    origin: Origin,
    deadline: Deadline,
  ): Promise<Outcome> {
    const earlier = await this.findEarlier(account, deadline);
    if (earlier instanceof RefusedRecord) {
      return earlier;
    }
    if (earlier && (await this.isDurable(earlier, deadline))) {
      return this.complete(earlier, account, origin, deadline);
    }
    const created = await this.accounts
      .create(account, async () => this.hashOf(password, deadline), deadline)
      .catch((error: unknown) => {
        if (error instanceof IdInUseError) {
          return new RefusedRecord('id-in-use');
        }
        throw error;
      });
    if (created === undefined) {
      return new RefusedRecord('username-taken');
    }
    if (created instanceof RefusedRecord) {
      return created;
    }
    await this.complete(created, account, undefined, deadline);
    return 'imported';
  }

  /** Whether a user who was found is stored permanently: a master that was replaced may have answered. */
  private async isDurable(found: UserRecord, deadline: Deadline): Promise<boolean> {
    if (!('isProvisional' in found)) {
      // A store of the application returns only what is durable.
      return true;
    }
    // This writes the names and the user as for an interrupted registration. A user from before version 0.2 may share a skeleton.
    const { hasSkeletons } = found as Partial<RedisRecord>;
    const unconfirmed = { ...found, isProvisional: hasSkeletons !== false };
    return (await this.accounts.prepareLogin(unconfirmed, deadline)) !== undefined;
  }

  /**
   * For a store that ignores these members of a new user. An earlier import may have failed before it did this.
   *
   * @param origin of the event, if the user is not a new one
   */
  private async complete(
    user: UserRecord,
    { id, email, isDisabled, verifiedEmail }: NewAccount,
    origin: Origin | undefined,
    deadline: Deadline,
  ): Promise<Completion> {
    const isUnconfirmed = verifiedEmail && user.email === email && user.verifiedEmail !== email;
    const isDisabling = isDisabled === true && !user.isDisabled;
    const change = {
      ...(isDisabling ? { isDisabled } : {}),
      ...(isUnconfirmed ? { verifiedEmail } : {}),
    };
    if (Object.keys(change).length === 0) {
      return 'present';
    }
    const { outcome } = await this.audit.recordChange(
      isDisabling && origin ? changeEvents(id, { disabled: true }, origin) : [],
      async () => this.accounts.update(id, change, deadline),
      (result) => result.outcome === 'changed',
    );
    if (isDisabling && outcome === 'changed') {
      return 'disabled';
    }
    return isDisabling && outcome === 'last-administrator' ? 'notDisabled' : 'present';
  }

  private async forecast(
    account: NewAccount,
    seen: SeenNames,
    deadline: Deadline,
  ): Promise<Outcome> {
    const earlier = await this.findEarlier(account, deadline);
    if (earlier) {
      if (earlier instanceof RefusedRecord) {
        return earlier;
      }
      return account.isDisabled && !earlier.isDisabled ? 'disabled' : 'present';
    }
    const isFree = await this.accounts.isFree(account, deadline);
    const [id = '', ...names] = keysOf(account);
    switch (seen.add(id, names)) {
      case 'known-id':
        return 'present';
      case 'known-name':
        return new RefusedRecord('username-taken', 'by another record of this source');
      case 'new':
        return isFree ? 'imported' : new RefusedRecord('username-taken');
    }
  }

  /** @returns the user of an earlier import; undefined when neither the name nor the id belongs to a user */
  private async findEarlier(
    { id, username, usernameKey }: NewAccount,
    deadline: Deadline,
  ): Promise<UserRecord | RefusedRecord | undefined> {
    const [found, other] = await Promise.all([
      findByUsername(this.accounts, username, deadline),
      this.accounts.find(id, deadline),
    ]);
    if (found) {
      if (found.id !== id) {
        return new RefusedRecord('username-taken');
      }
      return isProvisional(found) ? undefined : found;
    }
    // An interrupted import may have written the user, and not completed the name.
    return other && canonicalUsername(other.username) !== usernameKey
      ? new RefusedRecord('id-in-use')
      : undefined;
  }

  private async hashOf(password: ImportedPassword, deadline: Deadline): Promise<Secret> {
    if (password === 'none') {
      throw new Error('a user without a password is not imported');
    }
    if (password === 'invited') {
      return new Secret('');
    }
    return new Secret(
      'hash' in password
        ? storedImportedHash(password.hash.reveal())
        : await this.queue.hash(password.plain, deadline),
    );
  }

  /** Of several records with the same key, the first one of the source gets it. */
  private async inOrder(keys: readonly string[], work: () => Promise<Outcome>): Promise<Outcome> {
    const earlier = keys.flatMap((key) => this.inProgress.get(key) ?? []);
    const own = earlier.length > 0 ? Promise.allSettled(earlier).then(work) : work();
    keys.forEach((key) => this.inProgress.set(key, own));
    try {
      return await own;
    } finally {
      keys
        .filter((key) => this.inProgress.get(key) === own)
        .forEach((key) => this.inProgress.delete(key));
    }
  }
}

/** What must be unique: the id, and all forms of the name. */
function keysOf({ id, username, usernameKey }: NewAccount): readonly string[] {
  return [id, usernameKey, ...usernameSkeletons(usernameKey, username)];
}

function readRecord(format: ImportFormat, { value }: SourceRecord) {
  return value instanceof RefusedRecord ? value : format.read(value);
}

function usernameIn(read: ReturnType<typeof readRecord>): string | undefined {
  return read === 'ignored' || read instanceof RefusedRecord ? undefined : read.username;
}

/** Whether the user may have been written by a registration that did not complete. */
function isProvisional(user: UserRecord): boolean {
  return 'isProvisional' in user && user.isProvisional === true;
}
