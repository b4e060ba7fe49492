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
  RemovalOutcome,
} from '../store/accounts.js';
import { ForwardingAccounts } from '../store/forwarding-accounts.js';
import type { NewUser } from '../store/user-store.js';
import type { DirectoryIndex } from './directory-index.js';
import { termsAddedBy, termsOf, type DirectoryTerms } from './directory-terms.js';
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
 * not listed. What a change leaves over is corrected afterwards, or by the next page that finds it.
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
    user: NewUser,
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
      this.followUp(async (limited) => {
        await this.end(change, limited);
        if (!created) {
          await this.directory.correct(id, limited);
        }
      });
      return created;
    } catch (error) {
      this.followUp(async (limited) => {
        // Otherwise the user may still be written after the correction.
        await this.writer.prevent(id, limited);
        await this.end(change, limited);
        await this.directory.correct(id, limited);
      });
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
    // After an error the change may still be made, so it stays noted.
    const result = await this.accounts.update(userId, change, deadline);
    this.followUp(async (limited) => {
      await this.end(noted, limited);
      await this.directory.correct(userId, limited);
    });
    return result;
  }

  override async remove(
    userId: string,
    conditions: Conditions,
    deadline: Deadline,
  ): Promise<RemovalOutcome> {
    const result = await this.accounts.remove(userId, conditions, deadline);
    if (result.outcome === 'removed') {
      this.followUp(async (limited) => {
        await this.directory.correct(userId, limited);
      });
    }
    return result;
  }

  private note(userId: string, terms: DirectoryTerms, deadline: Deadline): NotedChange {
    const id = randomUUID();
    const note = this.index.note(userId, id, terms, deadline);
    // Nobody waits for the note of a registration whose name is taken.
    note.catch(() => undefined);
    return { userId, id, note };
  }

  private async end({ userId, id, note }: NotedChange, deadline: Deadline): Promise<void> {
    // Also after an error: the note may have been written.
    await note.catch(() => undefined);
    await this.index.end(userId, id, deadline);
  }

  /** Not awaited: the next page that finds what is left over corrects it. */
  private followUp(work: (deadline: Deadline) => Promise<void>): void {
    work(Deadline.after(FOLLOW_UP_TIMEOUT_MS)).catch(() => undefined);
  }
}
