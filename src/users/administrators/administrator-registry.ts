import { Injectable } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';

/** A user who may be an administrator. Only the user's record shows whether this is so. */
export interface Candidate {
  readonly userId: string;
  /** When the entry was written, in milliseconds since the epoch; '' when there is none. */
  readonly version: string;
}

/** A removal whose caller has not reported the outcome in time. */
export interface ExpiredRemoval extends Candidate {
  readonly token: string;
}

export interface Reservation {
  /** Milliseconds since the epoch, on the clock of Redis. */
  readonly now: number;
  readonly subject: Candidate;
  /** Candidates without a removal. The removal was reserved only if there is at least one. */
  readonly free: readonly Candidate[];
  readonly expired: readonly ExpiredRemoval[];
}

const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  add: load('add-administrator', String),
  reserve: load('reserve-removal', (reply) => reply as [number, string, string[], string[]]),
  release: load('release-removal', () => undefined),
};

/** The users who may be administrators, and the removals in progress. All are in one slot, so that one script can decide. */
@Injectable()
export class AdministratorRegistry {
  private readonly keys: Readonly<Record<'candidates' | 'removals' | 'fence', string>>;

  constructor(private readonly redis: RedisCluster) {
    const key = (part: string): string => redis.keys.key(['administrators', 'registry'], part);
    this.keys = {
      candidates: key('candidates'),
      removals: key('removals'),
      fence: key('fence'),
    };
  }

  /** @throws NotConfirmedError */
  async add(userId: string, deadline: Deadline): Promise<Candidate> {
    const keys = [this.keys.candidates];
    return { userId, version: await this.redis.runDurably(scripts.add, keys, [userId], deadline) };
  }

  /**
   * @param removal `knownId` names another administrator, `lifeMs` is the lifetime of the reservation
   * @throws NotConfirmedError
   */
  async reserve(
    {
      userId,
      token,
      knownId = '',
      lifeMs,
    }: {
      readonly userId: string;
      readonly token: string;
      readonly knownId?: string | undefined;
      readonly lifeMs: number;
    },
    deadline: Deadline,
  ): Promise<Reservation> {
    const [now, version, free, expired] = await this.redis.runDurably(
      scripts.reserve,
      [this.keys.candidates, this.keys.removals, this.keys.fence],
      [userId, token, lifeMs, knownId],
      deadline,
    );
    return {
      now,
      subject: { userId, version },
      free: inGroups(free, 2).map(([id = '', entry = '']) => ({ userId: id, version: entry })),
      expired: inGroups(expired, 3).map(([ended = '', id = '', entry = '']) => ({
        token: ended,
        userId: id,
        version: entry,
      })),
    };
  }

  /** Ends the reservation of a removal that was not made. Not durable: a reservation that was not ended expires. */
  async release(token: string, userId: string, deadline: Deadline): Promise<void> {
    await this.end([token, userId, ''], deadline);
  }

  /** Drops a candidate who is not an administrator. Not durable: the next call that reads the candidate repeats it. */
  async drop({ userId, version }: Candidate, deadline: Deadline, token = ''): Promise<void> {
    await this.end([token, userId, version], deadline);
  }

  private async end(args: readonly string[], deadline: Deadline): Promise<void> {
    await this.redis.run(
      scripts.release,
      [this.keys.candidates, this.keys.removals],
      args,
      deadline,
    );
  }
}

function inGroups(list: readonly string[], size: number): string[][] {
  return Array.from({ length: list.length / size }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
