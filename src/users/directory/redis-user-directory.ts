import { Injectable } from '@nestjs/common';

import { Deadline } from '../../common/deadline/index.js';
import { UserReader, type UserRecord } from '../../user-slot/read/index.js';
import { DirectoryIndex, type Position } from './directory-index.js';
import { beginningsOf, filterOf, isListedUnder, NO_TERMS, termsOf } from './directory-terms.js';
import type { UserDirectory, UserPage, UserQuery } from './user-directory.js';

/** A page reads at most this many records for each user of its limit, so that a rare combination does not read all users. */
const READS_PER_USER = 10;
const CORRECTION_TIMEOUT_MS = 2000;
/** Longer than a failover. */
const REINDEX_TIMEOUT_MS = 10_000;
/** The limit leaves capacity for the requests of running instances. */
const REINDEX_CONCURRENCY = 64;

/** Where a page ended: the number of the beginning, and the last term. */
interface Cursor {
  readonly index: number;
  readonly last: Position | undefined;
}

/**
 * The directory of users in Redis. The index says where to look, and the record of each user decides: a term that does not fit
 * the record is not listed, and is corrected.
 */
@Injectable()
export class RedisUserDirectory implements UserDirectory {
  constructor(
    private readonly index: DirectoryIndex,
    private readonly reader: UserReader,
  ) {}

  async list(
    query: UserQuery,
    after: string | undefined,
    limit: number,
    deadline: Deadline,
  ): Promise<UserPage | undefined> {
    const start = after === undefined ? { index: 0, last: undefined } : parseCursor(after);
    const beginnings = beginningsOf(query);
    if (!start || start.index >= beginnings.length) {
      return undefined;
    }
    const users: UserRecord[] = [];
    let cursor: Cursor = start;
    let reads = 0;
    while (users.length < limit && reads < READS_PER_USER * limit) {
      const { index, last } = cursor;
      const missing = limit - users.length;
      const terms = await this.index.list(
        filterOf(query),
        beginnings[index]!,
        last,
        missing + 1,
        deadline,
      );
      const taken = terms.slice(0, missing);
      reads += taken.length;
      users.push(...(await this.listed(taken, query, index, deadline)));
      if (terms.length > missing) {
        cursor = { index, last: taken.at(-1) };
      } else if (index + 1 < beginnings.length) {
        cursor = { index: index + 1, last: undefined };
      } else {
        return { users, next: undefined };
      }
    }
    return { users, next: cursorText(cursor) };
  }

  /**
   * Makes the entries of all users agree with their records: for users of earlier versions, whom the index does not know, and
   * after a loss of data. Removes the entries of users who do not exist. Repeating it is safe.
   *
   * @param ids all users
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async reindex(ids: Iterable<string>): Promise<void> {
    const remaining = new Set([...ids, ...(await this.index.userIds(Deadline.none))]).values();
    const work = async (): Promise<void> => {
      for (const id of remaining) {
        await this.correct(id, Deadline.after(REINDEX_TIMEOUT_MS));
      }
    };
    await Promise.all(Array.from({ length: REINDEX_CONCURRENCY }, work));
  }

  /**
   * Makes the entry of a user agree with the record, unless a change of the user is in progress.
   *
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async correct(userId: string, deadline: Deadline): Promise<void> {
    // Before the record: a change that is noted in between makes the version differ.
    const version = await this.index.versionOf(userId, deadline);
    const user = await this.reader.findConfirmed(userId, deadline);
    await this.index.correct(userId, version, user && termsOf(user), deadline);
  }

  private async listed(
    terms: readonly Position[],
    query: UserQuery,
    index: number,
    deadline: Deadline,
  ): Promise<UserRecord[]> {
    const found = await Promise.all(
      terms.map(async (term) => ({ term, user: await this.reader.find(term.userId, deadline) })),
    );
    return found.flatMap(({ term, user }) => {
      const { keys, filters } = user ? termsOf(user) : NO_TERMS;
      if (!user || !keys.includes(term.key) || !filters.includes(filterOf(query))) {
        this.correctSoon(term.userId);
        return [];
      }
      return !user.isProvisional && isListedUnder(user, query, index) ? [user] : [];
    });
  }

  /** Best effort: the next page that finds the term corrects it. */
  private correctSoon(userId: string): void {
    this.correct(userId, Deadline.after(CORRECTION_TIMEOUT_MS)).catch(() => undefined);
  }
}

function cursorText({ index, last }: Cursor): string {
  return Buffer.from(JSON.stringify([index, last?.key, last?.userId])).toString('base64url');
}

function parseCursor(text: string): Cursor | undefined {
  try {
    const [index, key, userId] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    const isPosition = typeof key === 'string' && typeof userId === 'string';
    return Number.isSafeInteger(index) && (isPosition || key === null)
      ? { index: index as number, last: isPosition ? { key, userId } : undefined }
      : undefined;
  } catch {
    return undefined;
  }
}
