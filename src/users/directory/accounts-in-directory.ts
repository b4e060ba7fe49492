import { randomUUID } from 'node:crypto';

import { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import type { UserRecord } from '../../user-slot/read/index.js';
import type { UserWriter } from '../../user-slot/write/index.js';
import type {
  AccountChange,
  Accounts,
  ChangeOutcome,
  Conditions,
  NewAccount,
  RemovalOutcome,
} from '../store/accounts.js';
import { ForwardingAccounts } from '../store/forwarding-accounts.js';
import type { DirectoryIndex } from './directory-index.js';
import { NO_TERMS, termsAddedBy, termsOf, type DirectoryTerms } from './directory-terms.js';
import type { RedisUserDirectory } from './redis-user-directory.js';

/** Longer than a failover. */
const FOLLOW_UP_TIMEOUT_MS = 10_000;

/** A change that the index knows before it is made. */
interface NotedChange {
  readonly userId: string;
  readonly id: string;
  readonly note: Promise<void>;
}

/**
 * Keeps the directory up to date. Each change is noted in the index before it is made, so that a crash cannot leave a user who is
 * not listed. What a change leaves over is corrected afterwards, or when the entry is due.
 */
export class AccountsInDirectory extends ForwardingAccounts {
  constructor(
    accounts: Accounts,
    private readonly index: DirectoryIndex,
    private readonly directory: RedisUserDirectory,
    private readonly writer: UserWriter,
  ) {
    super(accounts);
  }

  /** The note is sent together with the claim of the name, and confirmed before the user is written. */
  override async create(
    user: NewAccount,
    passwordHash: () => Promise<Secret>,
    deadline: Deadline,
  ): Promise<UserRecord | undefined> {
    const { id } = user;
    const change = this.note(id, termsOf(user), deadline);
    const hashAndNote = async (): Promise<Secret> => {
      const [hash] = await Promise.all([passwordHash(), change.note]);
      return hash;
    };
    try {
      const created = await this.accounts.create(user, hashAndNote, deadline);
      this.followUp(change, created !== undefined);
      return created;
    } catch (error) {
      if (!user.isRepeated) {
        // Otherwise the user may still be written after the correction.
        const prevent = async (limited: Deadline) => this.writer.prevent(id, limited);
        this.followUp(change, false, prevent);
      }
      throw error;
    }
  }

  override async update(
    userId: string,
    change: AccountChange,
    deadline: Deadline,
  ): Promise<ChangeOutcome> {
    const terms = termsAddedBy(change);
    if (!terms) {
      return this.accounts.update(userId, change, deadline);
    }
    const noted = this.note(userId, terms, deadline);
    await noted.note;
    // After an error the change may still be made, so it stays noted until the entry is due.
    const result = await this.accounts.update(userId, change, deadline);
    this.followUp(noted, false);
    return result;
  }

  /** The note makes the entry due, so that nothing of a deleted user stays after a crash. */
  override async remove(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    const noted = this.note(userId, NO_TERMS, deadline);
    await noted.note;
    const result = await this.accounts.remove(userId, conditions, deadline);
    this.followUp(noted, false);
    return result;
  }

  private note(userId: string, terms: DirectoryTerms, deadline: Deadline): NotedChange {
    const id = randomUUID();
    const note = this.index.begin(userId, id, terms, deadline);
    // Nobody waits for the note of a registration whose name is taken.
    note.catch(() => undefined);
    return { userId, id, note };
  }

  /**
   * Not awaited: if it fails, the entry becomes due.
   *
   * @param isExact whether the entry agrees with the record after the change
   */
  private followUp(
    { userId, id, note }: NotedChange,
    isExact: boolean,
    first: (deadline: Deadline) => Promise<unknown> = () => Promise.resolve(),
  ): void {
    const deadline = Deadline.after(FOLLOW_UP_TIMEOUT_MS);
    const work = async (): Promise<void> => {
      await first(deadline);
      // Also after an error: the note may have been written.
      await note.catch(() => undefined);
      await this.index.end(userId, id, isExact, deadline);
      if (!isExact) {
        await this.directory.correct(userId, deadline);
      }
    };
    work().catch(() => undefined);
  }
}
