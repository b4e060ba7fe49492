import { Injectable } from '@nestjs/common';

import { forEachConcurrently } from '../../common/concurrency/index.js';
import { cursorText, positionIn } from '../../common/paging/index.js';
import { Deadline } from '../../common/deadline/index.js';
import { UserReader } from '../../user-slot/read/index.js';
import { DirectoryIndex, type Position } from './directory-index.js';
import {
  prefixesOf,
  filterOf,
  isListedUnder,
  ALL,
  NO_TERMS,
  termsOf,
  verifiedEmailPrefix,
  type DirectoryTerms,
} from './directory-terms.js';
import type { ListedUser, UserDirectory, UserPage, UserQuery } from './user-directory.js';

/**
 * A page reads at most this many records for each user of its limit, so that a rare combination does not read all users. Only while
 * no term is one of a user, it reads on.
 */
const READS_PER_USER = 10;
/** Longer than a failover. */
const REINDEX_TIMEOUT_MS = 10_000;
/** The limit leaves capacity for the requests of running instances. */
const REINDEX_CONCURRENCY = 64;

/** A term that its user has. */
interface Current {
  readonly term: Position;
  readonly user: ListedUser;
  /** Whether the user is listed here. */
  readonly fits: boolean;
}

/** Where a page ended: the number of the prefix, and the last term. */
interface Cursor {
  readonly index: number;
  readonly last: Position | undefined;
}

/**
 * The directory of users in Redis. The index says where to look, and the record of each user decides: a term that does not fit
 * the record is not listed.
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
    const start = after === undefined ? { index: 0, last: undefined } : parseCursor(after, query);
    const prefixes = prefixesOf(query);
    if (!start) {
      return undefined;
    }
    const users: ListedUser[] = [];
    let cursor: Cursor = start;
    // Where the next page begins. The client can read it, so it is never a term that its user does not have any more.
    let next: Cursor | undefined;
    for (let reads = 0; users.length < limit && (!next || reads < READS_PER_USER * limit);) {
      const { index, last } = cursor;
      // Not only as many as are missing: conditions that few users meet would take a round trip for each term.
      const prefix = prefixes[index]!;
      const found = await this.index.list(filterOf(query), prefix, last, limit + 1, deadline);
      const terms = found.slice(0, limit);
      reads += terms.length;
      const current = await this.current(terms, query, index, deadline);
      const fitting = current.filter(({ fits }) => fits);
      const listed = fitting.slice(0, limit - users.length);
      users.push(...listed.map(({ user }) => user));
      if (listed.length < fitting.length) {
        next = { index, last: listed.at(-1)!.term };
      } else if (found.length > limit) {
        cursor = { index, last: terms.at(-1) };
        next = current.length > 0 ? { index, last: current.at(-1)!.term } : next;
      } else if (index + 1 < prefixes.length) {
        cursor = { index: index + 1, last: undefined };
        next = cursor;
      } else {
        return { users, next: undefined };
      }
    }
    return { users, next: next && textOf(next, query) };
  }

  async findByVerifiedEmail(
    address: string,
    limit: number,
    deadline: Deadline,
  ): Promise<readonly ListedUser[]> {
    const prefix = verifiedEmailPrefix(address);
    const terms = await this.index.list(ALL, prefix, undefined, limit, deadline);
    const users = await Promise.all(
      terms.map(async ({ userId }) => this.reader.findProfile(userId, deadline)),
    );
    // The index may still contain a former address.
    return terms.flatMap(({ key }, index) => {
      const user = users[index];
      return user && termsOf(user).keys.includes(key) ? [user] : [];
    });
  }

  /**
   * Makes the entries of all users agree with their records: for users of earlier versions, whom the index does not know, and
   * after a loss of data. Removes the entries of users who do not exist. Repeating it is safe.
   *
   * @param ids all users
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async reindex(ids: Iterable<string>): Promise<void> {
    const all = new Set([...ids, ...(await this.index.userIds(Deadline.none))]);
    await forEachConcurrently(all, REINDEX_CONCURRENCY, async (id) =>
      this.correct(id, Deadline.after(REINDEX_TIMEOUT_MS)),
    );
  }

  /**
   * Makes the entry of a user agree with the record.
   *
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async correct(userId: string, deadline: Deadline): Promise<void> {
    const read = async (): Promise<DirectoryTerms | undefined> => {
      const user = await this.reader.confirmProfile(userId, deadline);
      return user && termsOf(user);
    };
    await this.index.correct(userId, read, deadline);
  }

  /** Reads the users of terms. @returns the terms that their users have */
  private async current(
    terms: readonly Position[],
    query: UserQuery,
    index: number,
    deadline: Deadline,
  ): Promise<Current[]> {
    const found = await Promise.all(
      terms.map(async (term) => ({
        term,
        user: await this.reader.findProfile(term.userId, deadline),
      })),
    );
    return found.flatMap(({ term, user }) => {
      const { keys, filters } = user ? termsOf(user) : NO_TERMS;
      if (!user || user.isProvisional || !keys.includes(term.key)) {
        return [];
      }
      const fits = filters.includes(filterOf(query)) && isListedUnder(user, query, index);
      return [{ term, user, fits }];
    });
  }
}

function conditionsOf(query: UserQuery): unknown {
  return [prefixesOf(query), filterOf(query), query.isDisabled];
}

function textOf({ index, last }: Cursor, query: UserQuery): string {
  return cursorText([index, last?.key, last?.userId], conditionsOf(query));
}

function parseCursor(text: string, query: UserQuery): Cursor | undefined {
  const [index, key, userId] = positionIn(text, conditionsOf(query)) ?? [];
  const prefix = prefixesOf(query)[index as number];
  if (prefix === undefined) {
    return undefined;
  }
  if (key === null) {
    return { index: index as number, last: undefined };
  }
  return typeof key === 'string' && key.startsWith(prefix) && typeof userId === 'string'
    ? { index: index as number, last: { key, userId } }
    : undefined;
}
