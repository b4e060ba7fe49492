import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import type { Deadline } from '../../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';
import { ALL, NO_TERMS, type DirectoryTerms } from './directory-terms.js';

/** Longer than the delay of any late write. */
const CHANGE_TTL_MS = 2 * 3_600_000;
/** Time after which an instance checks an entry whose change has not been completed. */
const CHECK_AFTER_MS = 60_000;
/** The last digit of the id of a user, which is random in UUIDs of all common versions. */
export const PARTITIONS: readonly string[] = Array.from('0123456789abcdef');
const LARGE_PAGE = 1000;

const isOne = (reply: unknown): boolean => reply === 1;
const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  begin: load('begin-user-change', isOne),
  end: load('end-user-change', isOne),
  entry: load('list-entry', (reply) => inGroups(reply as string[], 3, toNoted)),
  correct: load('correct-entry', isOne),
  takeDue: load('take-due-entries', (reply) => reply as string[]),
  list: load('list-user-terms', (reply) => inGroups(reply as string[], 2, toPosition)),
};

/** A filter or a key in an entry. */
interface Noted {
  readonly kind: 'filters' | 'keys';
  readonly name: string;
  /** The id of the change that noted it last. */
  readonly change: string;
}

/** A position in the directory. */
export interface Position {
  readonly key: string;
  readonly userId: string;
}

/**
 * An index of all users by name and e-mail address, in sixteen slots. It is written before and after each change of a user, so it
 * contains at least all terms of every user. `correct` removes what is left over from changes that failed.
 */
@Injectable()
export class DirectoryIndex {
  constructor(private readonly redis: RedisCluster) {}

  /**
   * Adds what a user will have. Call it before the user is changed, and `end` and `correct` afterwards. If they are not called, the
   * entry becomes due.
   *
   * @throws NotConfirmedError
   */
  async begin(
    userId: string,
    changeId: string,
    { filters, keys }: DirectoryTerms,
    deadline: Deadline,
  ): Promise<void> {
    await this.redis.runDurably(
      scripts.begin,
      this.keysOf(userId),
      [userId, changeId, JSON.stringify(filters), JSON.stringify(keys), CHECK_AFTER_MS],
      deadline,
    );
  }

  /**
   * Notes that a change is not in progress any more. Not durable: it is assumed after two hours.
   *
   * @param isExact whether the entry has nothing but what the user has, so that `correct` is not needed
   * @throws RedisUnavailableError
   */
  async end(userId: string, changeId: string, isExact: boolean, deadline: Deadline): Promise<void> {
    const [, entries, due] = this.keysOf(userId);
    const args = [userId, changeId, isExact ? 1 : 0];
    await this.redis.run(scripts.end, [entries, due], args, deadline);
  }

  /**
   * Makes the entry of a user agree with the record. What changes in progress have noted stays.
   *
   * @param read reads the terms of the record, from a master that was not replaced; undefined when there is no user
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async correct(
    userId: string,
    read: () => Promise<DirectoryTerms | undefined>,
    deadline: Deadline,
  ): Promise<void> {
    const [, entries] = this.keysOf(userId);
    // Before the record: what a later change has noted must not be taken for left over.
    const noted = await this.redis.run(scripts.entry, [entries], [userId, CHANGE_TTL_MS], deadline);
    const terms = (await read()) ?? NO_TERMS;
    const surplus = noted.filter(({ kind, name }) => !terms[kind].includes(name));
    const missing = (['filters', 'keys'] as const).flatMap((kind) =>
      terms[kind]
        .filter((name) => !noted.some((one) => one.kind === kind && one.name === name))
        .map((name) => [kind, name]),
    );
    await this.redis.runDurably(
      scripts.correct,
      this.keysOf(userId),
      [
        userId,
        JSON.stringify(surplus.flatMap(({ kind, name, change }) => [kind, name, change])),
        JSON.stringify(missing.flat()),
        randomUUID(),
        CHANGE_TTL_MS,
        CHECK_AFTER_MS,
      ],
      deadline,
    );
  }

  /**
   * Takes users of one part whose entries have to be corrected. Other instances do not get them for a minute.
   *
   * @param partition one of PARTITIONS
   * @throws RedisUnavailableError
   */
  async takeDue(partition: string, limit: number, deadline: Deadline): Promise<readonly string[]> {
    const [, , due] = this.keysIn(partition);
    return this.redis.run(scripts.takeDue, [due], [limit, CHECK_AFTER_MS], deadline);
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

  private keysOf(userId: string): Keys {
    return this.keysIn(userId.slice(-1).toLowerCase());
  }

  private keysIn(partition: string): Keys {
    const key = (part: string): string => this.redis.keys.key(['user-directory', partition], part);
    return [key('terms'), key('entries'), key('due')];
  }
}

type Keys = [terms: string, entries: string, due: string];

function positionText({ key, userId }: Position): string {
  return `${key}\0${userId}`;
}

function toPosition([key = '', userId = '']: readonly string[]): Position {
  return { key, userId };
}

function toNoted([kind = '', name = '', change = '']: readonly string[]): Noted {
  return { kind: kind as Noted['kind'], name, change };
}

function inGroups<Item>(
  list: readonly string[],
  size: number,
  convert: (group: readonly string[]) => Item,
): Item[] {
  return Array.from({ length: list.length / size }, (_, index) =>
    convert(list.slice(index * size, (index + 1) * size)),
  );
}
