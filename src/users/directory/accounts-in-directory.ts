import { randomUUID } from 'node:crypto';

import { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import type {
  AccountChange,
  Accounts,
  ChangeOutcome,
  Conditions,
  EndOutcome,
  RemovalOutcome,
} from '../store/accounts.js';
import type { NewUser } from '../store/user-store.js';
import type { DirectoryIndex } from './directory-index.js';
import { termsAddedBy, termsOf, type DirectoryTerms } from './directory-terms.js';
import type { RedisUserDirectory } from './redis-user-directory.js';

const FOLLOW_UP_TIMEOUT_MS = 2000;

/**
 * Keeps the directory up to date. Each change is noted in the index before it is made, so that a crash cannot leave a user who is
 * not listed. What a change leaves over is corrected afterwards, or by the next page that finds it.
 */
export class AccountsInDirectory implements Accounts {
  constructor(
    private readonly accounts: Accounts,
    private readonly index: DirectoryIndex,
    private readonly directory: RedisUserDirectory,
  ) {}

  /** The note is sent together with the claim of the name, and confirmed before the user is written. */
  async create(
    user: NewUser,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const isCreated = (result: UserRecord | undefined): boolean => result !== undefined;
    return this.noted(user.id, termsOf(user), deadline, isCreated, async (note) =>
      this.accounts.create(
        user,
        async () => {
          const [hash] = await Promise.all([passwordHash(), note]);
          return hash;
        },
        deadline,
      ),
    );
  }

  async update(userId: string, change: AccountChange, deadline: Deadline): Promise<ChangeOutcome> {
    const terms = termsAddedBy(change);
    if (!terms) {
      return this.accounts.update(userId, change, deadline);
    }
    return this.noted(
      userId,
      terms,
      deadline,
      () => false,
      async (note) => {
        await note;
        return this.accounts.update(userId, change, deadline);
      },
    );
  }

  async remove(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    const result = await this.accounts.remove(userId, conditions, deadline);
    if (result.outcome === 'removed') {
      this.followUp(async (limited) => {
        await this.directory.correct(userId, await this.index.versionOf(userId, limited), limited);
      });
    }
    return result;
  }

  async find(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.find(userId, deadline);
  }

  async findByUsername(usernameKey: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findByUsername(usernameKey, deadline);
  }

  async locate(
    usernameKey: string,
    deadline: Deadline,
  ): Promise<() => Promise<UserRecord | undefined>> {
    return this.accounts.locate(usernameKey, deadline);
  }

  async renewHash(
    userId: string,
    verified: Secret,
    renewed: Secret,
    deadline: Deadline,
  ): Promise<void> {
    await this.accounts.renewHash(userId, verified, renewed, deadline);
  }

  async endSessions(
    userId: string,
    conditions: Parameters<Accounts['endSessions']>[1],
    deadline: Deadline,
  ): Promise<EndOutcome> {
    return this.accounts.endSessions(userId, conditions, deadline);
  }

  async prepareLogin(user: UserRecord, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.prepareLogin(user, deadline);
  }

  async findCurrent(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.findCurrent(userId, deadline);
  }

  async reload(userId: string, deadline: Deadline): Promise<UserRecord | undefined> {
    return this.accounts.reload(userId, deadline);
  }

  /** @param isExact whether the entry agrees with the record after the note, so that nothing has to be corrected */
  private async noted<Result>(
    userId: string,
    terms: DirectoryTerms,
    deadline: Deadline,
    isExact: (result: Result) => boolean,
    work: (note: Promise<void>) => Promise<Result>,
  ): Promise<Result> {
    const changeId = randomUUID();
    const note = this.index.note(userId, changeId, terms, deadline);
    // Nobody waits for the note when the name is taken.
    note.catch(() => undefined);
    // After an error the change may still be made, so it stays noted.
    const result = await work(note);
    this.followUp(async (limited) => {
      await note;
      const version = await this.index.end(userId, changeId, limited);
      if (!isExact(result)) {
        await this.directory.correct(userId, version, limited);
      }
    });
    return result;
  }

  /** Not awaited: the next page that finds what is left over corrects it. */
  private followUp(work: (deadline: Deadline) => Promise<void>): void {
    work(Deadline.after(FOLLOW_UP_TIMEOUT_MS)).catch(() => undefined);
  }
}
