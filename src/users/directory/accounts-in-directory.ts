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
import { FollowUps } from './follow-ups.js';
import type { RedisUserDirectory } from './redis-user-directory.js';

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
  private readonly followUps = new FollowUps();

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
    let mayBeWritten = false;
    const hashAndNote = async (): Promise<Secret> => {
      const [hash] = await Promise.all([passwordHash(), change.note]);
      mayBeWritten = true;
      return hash;
    };
    try {
      const created = await this.accounts.create(user, hashAndNote, deadline);
      this.followUp(change, created !== undefined);
      return created;
    } catch (error) {
      if (!user.isRepeated) {
        // Otherwise the user may still be written after the correction.
        const prevent = async () => this.writer.prevent(id, Deadline.none);
        this.followUp(change, false, mayBeWritten ? prevent : undefined);
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
    const noted = await this.noteFirst(userId, terms, deadline);
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
    const noted = await this.noteFirst(userId, NO_TERMS, deadline);
    const result = await this.accounts.remove(userId, conditions, deadline);
    this.followUp(noted, false);
    return result;
  }

  private async noteFirst(
    userId: string,
    terms: DirectoryTerms,
    deadline: Deadline,
  ): Promise<NotedChange> {
    const change = this.note(userId, terms, deadline);
    try {
      await change.note;
      return change;
    } catch (error) {
      // The change is not made.
      this.followUp(change, false);
      throw error;
    }
  }

  private note(userId: string, terms: DirectoryTerms, deadline: Deadline): NotedChange {
    const id = randomUUID();
    const note = this.index.begin(userId, id, terms, deadline);
    // Nobody waits for the note of a registration whose name is taken.
    note.catch(() => undefined);
    return { userId, id, note };
  }

  /**
   * Not awaited: if it is not done, the entry becomes due.
   *
   * @param isExact whether the entry agrees with the record after the change
   */
  private followUp(
    { userId, id, note }: NotedChange,
    isExact: boolean,
    first: () => Promise<unknown> = () => Promise.resolve(),
  ): void {
    this.followUps.add(async () => {
      await first();
      // Also after an error: the note may have been written.
      await note.catch(() => undefined);
      await this.index.end(userId, id, isExact, Deadline.none);
      if (!isExact) {
        await this.directory.correct(userId, Deadline.none);
      }
    });
  }
}
