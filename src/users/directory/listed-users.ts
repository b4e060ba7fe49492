import { Inject, Injectable, Optional } from '@nestjs/common';

import { AuditLog } from '../../audit/index.js';
import { forEachConcurrently } from '../../common/concurrency/index.js';
import { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import { MissingRightError } from '../../redis-cluster/index.js';
import { UserReader } from '../../user-slot/read/index.js';
import { untilAnswered } from '../until-answered.js';
import { USER_STORE, type UserStore } from '../store/user-store.js';
import { RedisUserDirectory } from './redis-user-directory.js';
import { ValidatingUserDirectory } from './validating-user-directory.js';
import {
  USER_DIRECTORY,
  type ListedUser,
  type UserDirectory,
  type UserPage,
  type UserQuery,
} from './user-directory.js';

/** The most that a directory accepts. */
const LARGE_PAGE = 100;
/** The limit leaves capacity for the requests of running instances. */
const CONCURRENCY = 64;

export type ListingOutcome =
  | ({ readonly outcome: 'listed' } & UserPage)
  | { readonly outcome: 'unknown-cursor' }
  | { readonly outcome: 'listing-not-supported' };

/** Lists and searches users, and records an audit event for each page. */
@Injectable()
export class ListedUsers {
  private readonly directory: UserDirectory | undefined;

  constructor(
    private readonly redisDirectory: RedisUserDirectory,
    private readonly reader: UserReader,
    private readonly audit: AuditLog,
    @Optional() @Inject(USER_STORE) private readonly store?: UserStore,
    @Optional() @Inject(USER_DIRECTORY) directory?: UserDirectory,
  ) {
    const ofRedis = store ? undefined : redisDirectory;
    this.directory = directory ? new ValidatingUserDirectory(directory) : ofRedis;
  }

  /** Whether users can be listed. */
  get isSupported(): boolean {
    return this.directory !== undefined;
  }

  /** @throws RedisUnavailableError, UserStoreUnavailableError, UserStoreError */
  async list(
    query: UserQuery,
    after: string | undefined,
    limit: number,
    origin: Origin,
    deadline: Deadline,
  ): Promise<ListingOutcome> {
    if (!this.directory) {
      return { outcome: 'listing-not-supported' };
    }
    const page = await this.directory.list(query, after, limit, deadline);
    if (!page) {
      return { outcome: 'unknown-cursor' };
    }
    const { role, isDisabled } = query;
    const details = { users: page.users.length, role, disabled: isDisabled };
    this.audit.record({ type: 'users-listed', result: 'success', ...origin.facts, details });
    return { outcome: 'listed', ...page };
  }

  /**
   * All users, page by page, for the work of operators. It records no event. There are none if listing is not supported.
   *
   * @throws RedisUnavailableError, UserStoreUnavailableError: nothing answered for a minute. UserStoreError
   */
  async *pages(): AsyncGenerator<readonly ListedUser[]> {
    let next: string | undefined;
    do {
      const page = await untilAnswered(async (deadline) =>
        this.directory?.list({}, next, LARGE_PAGE, deadline),
      );
      yield page?.users ?? [];
      next = page?.next;
    } while (next !== undefined);
  }

  /**
   * The ids of all users who may be stored, to compare them with those who are listed. Like `reindex`, it scans all keys.
   *
   * @returns undefined for another store, and without the right to scan
   * @throws RedisUnavailableError
   */
  async storedIds(): Promise<Set<string> | undefined> {
    if (this.store) {
      return undefined;
    }
    try {
      return new Set(await this.reader.ids(Deadline.none));
    } catch (error) {
      if (error instanceof MissingRightError) {
        return undefined;
      }
      throw error;
    }
  }

  /** How many of these ids belong to users: not to deleted ones, and not to incomplete registrations. */
  async countStored(ids: Iterable<string>): Promise<number> {
    let count = 0;
    await forEachConcurrently(ids, CONCURRENCY, async (id) => {
      const user = await untilAnswered(async (deadline) => this.reader.findProfile(id, deadline));
      count += user && !user.isProvisional ? 1 : 0;
    });
    return count;
  }

  /**
   * Makes the directory agree with the records of all users. Users of another store are not affected.
   *
   * @returns the number of users
   * @throws RedisUnavailableError, NotConfirmedError, MissingRightError
   */
  async reindex(): Promise<number> {
    if (this.store) {
      return 0;
    }
    const ids = await this.reader.ids(Deadline.none);
    await this.redisDirectory.reindex(ids);
    return ids.size;
  }
}
