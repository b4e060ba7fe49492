import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Deadline } from '../../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';
import { ALL, type DirectoryTerms } from './directory-terms.js';

/** Longer than the delay of any late write. */
const CHANGE_TTL_MS = 2 * 3_600_000;
/** The last digit of the id of a user, which is random in UUIDs of all common versions. */
const PARTITIONS = Array.from('0123456789abcdef');

const LARGE_PAGE = 1000;

const isOne = (reply: unknown): boolean => reply === 1;
const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  note: load('note-user-change', isOne),
  end: load('end-user-change', isOne),
  correct: load('correct-user-entry', isOne),
  list: load('list-user-terms', (reply) => parseListed(reply as string[])),
  version: load('version-of-user-entry', String),
};

/** A position in the directory. */
export interface Position {
  readonly key: string;
  readonly userId: string;
}

/**
 * An index of all users by name and e-mail address, in sixteen slots. It is written before and after each change of a user, so it
 * contains at least all terms of every user. A term that does not fit the user's record is left over from a change that failed
 * or is in progress: `correct` removes it.
 */
@Injectable()
export class DirectoryIndex {
  constructor(private readonly redis: RedisCluster) {}

  /**
   * Adds what a user will have. Call it before the user is changed, and `end` afterwards.
   *
   * @throws NotConfirmedError
   */
  async note(
    userId: string,
    changeId: string,
    { filters, keys }: DirectoryTerms,
    deadline: Deadline,
  ): Promise<void> {
    await this.redis.runDurably(
      scripts.note,
      this.keysOf(userId),
      [userId, changeId, JSON.stringify(filters), JSON.stringify(keys)],
      deadline,
    );
  }

  /**
   * Notes that a change is not in progress any more. Not durable: it is assumed after two hours.
   *
   * @throws RedisUnavailableError
   */
  async end(userId: string, changeId: string, deadline: Deadline): Promise<void> {
    const [, entries] = this.keysOf(userId);
    await this.redis.run(scripts.end, [entries], [userId, changeId], deadline);
  }

  /** @returns the version of a user's entry; '' when there is none @throws RedisUnavailableError */
  async versionOf(userId: string, deadline: Deadline): Promise<string> {
    const [, entries] = this.keysOf(userId);
    return this.redis.run(scripts.version, [entries], [userId], deadline);
  }

  /**
   * Makes the entry of a user agree with the record.
   *
   * @param version of the entry, read before the record
   * @param terms of the record; undefined when there is no user
   * @returns false when the entry has changed since, or a change of the user may be in progress
   * @throws NotConfirmedError
   */
  async correct(
    userId: string,
    version: string,
    terms: DirectoryTerms | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const [filters, keys] = terms
      ? [JSON.stringify(terms.filters), JSON.stringify(terms.keys)]
      : ['', ''];
    return this.redis.runDurably(
      scripts.correct,
      this.keysOf(userId),
      [userId, version, randomUUID(), CHANGE_TTL_MS, filters, keys],
      deadline,
    );
  }

  /**
   * Lists terms of all slots in the order of their keys, byte by byte.
   *
   * @param after the last position of the previous call
   * @throws RedisUnavailableError
   */
  async list(
    filter: string,
    prefix: string,
    after: Position | undefined,
    limit: number,
    deadline: Deadline,
  ): Promise<readonly Position[]> {
    const from = after ? positionText(after) : '';
    const lists = await Promise.all(
      PARTITIONS.map(async (partition) =>
        this.redis.run(
          scripts.list,
          [this.keysIn(partition)[0]],
          [filter, prefix, from, limit],
          deadline,
        ),
      ),
    );
    return lists
      .flat()
      .map((term) => ({ term, bytes: Buffer.from(positionText(term)) }))
      .sort((one, other) => Buffer.compare(one.bytes, other.bytes))
      .slice(0, limit)
      .map(({ term }) => term);
  }

  /**
   * All users whom the index contains, and perhaps users who do not exist. For the work of operators, not for requests.
   *
   * @throws RedisUnavailableError
   */
  async userIds(deadline: Deadline): Promise<ReadonlySet<string>> {
    const ids = new Set<string>();
    let after: Position | undefined;
    do {
      const positions = await this.list(ALL, '', after, LARGE_PAGE, deadline);
      positions.forEach(({ userId }) => ids.add(userId));
      after = positions.at(-1);
    } while (after);
    return ids;
  }

  private keysOf(userId: string): [terms: string, entries: string] {
    return this.keysIn(userId.slice(-1).toLowerCase());
  }

  private keysIn(partition: string): [terms: string, entries: string] {
    const tag = ['user-directory', partition] as const;
    return [this.redis.keys.key(tag, 'terms'), this.redis.keys.key(tag, 'entries')];
  }
}

function positionText({ key, userId }: Position): string {
  return `${key}\0${userId}`;
}

function parseListed(reply: readonly string[]): Position[] {
  return Array.from({ length: reply.length / 2 }, (_, index) => {
    const [key = '', userId = ''] = reply.slice(2 * index, 2 * index + 2);
    return { key, userId };
  });
}
