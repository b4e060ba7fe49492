import { Inject, Injectable } from '@nestjs/common';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { Deadline } from '../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import { RATE_LIMIT_OPTIONS } from './rate-limit.module-definition.js';
import type { RateLimitOptions } from './rate-limit.options.js';

/** Longer than any attempt with all its waiting: one that was not settled by then belongs to a process that is gone. */
const LONGEST_ATTEMPT_MS = 30_000;
/** How many of an instance's callers may wait for attempts under way. */
const MOST_WAITING = 200;
const POLL_MS = 50;
/** What the attempt itself may take, when nothing is wrong: whoever waits for others leaves so much time for it. */
const LONGEST_CHECK_MS = 1500;
/** For what comes when the request is decided already. */
const LONGEST_AFTERTHOUGHT_MS = 300;
const BUSY_RETRY_AFTER_SECONDS = 1;

const beginAttempt = LuaScript.fromFile(
  new URL('./scripts/begin-attempt.lua', import.meta.url),
  Number,
);
const endAttempt = LuaScript.fromFile(
  new URL('./scripts/end-attempt.lua', import.meta.url),
  Number,
);

export interface FailureLimit {
  /** What is counted, such as `login-address`. Part of the key. */
  readonly name: string;
  readonly failures: number;
  readonly windowMs: number;
}

/** What an attempt means for the count: a failure, nothing, or that all failures before it are forgiven. */
export type AttemptResult = 'failed' | 'void' | 'reset';

export interface Attempted<T> {
  readonly value: T;
  readonly result: AttemptResult;
}

export interface TooManyAttempts {
  readonly outcome: 'too-many-attempts';
  readonly retryAfterSeconds: number;
}

/** Thrown by an attempt whose caller gives up before its result is known. It is counted when it is. */
export class UndecidedAttemptError extends Error {
  /** @param result never rejects */
  constructor(
    message: string,
    readonly result: Promise<AttemptResult>,
  ) {
    super(message);
  }
}

/**
 * Counts failures over a sliding window, across all instances. An attempt is reserved before it is made, so that
 * attempts at the same time cannot slip through together; those that find only reservations in their way wait for them.
 */
@Injectable()
export class RateLimiter {
  private waiting = 0;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(RATE_LIMIT_OPTIONS) private readonly options: RateLimitOptions,
  ) {}

  /**
   * Makes an attempt, if one more is allowed. An attempt that throws counts for nothing, unless it
   * throws an UndecidedAttemptError.
   *
   * @param subject whose failures are counted; only a digest of it is stored
   * @throws RedisUnavailableError: without the counters nothing is allowed
   */
  async attempt<T>(
    limit: FailureLimit,
    subject: string,
    deadline: Deadline,
    make: () => Promise<Attempted<T>>,
  ): Promise<T | TooManyAttempts> {
    if (this.options.isOn === false) {
      return (await make()).value;
    }
    const id = randomUUID();
    const keys = this.keysOf(limit, subject);
    const retryAfterSeconds = await this.begin(limit, keys, id, deadline);
    if (retryAfterSeconds > 0) {
      return { outcome: 'too-many-attempts', retryAfterSeconds };
    }
    const end = (result: AttemptResult, until: Deadline): Promise<number> =>
      this.redis.run(endAttempt, keys, [id, result, limit.windowMs], until);
    let attempted: Attempted<T>;
    try {
      attempted = await make();
    } catch (error) {
      // Not awaited: the caller has waited long enough, and a reservation also runs out by itself.
      resultOf(error)
        .then(async (result) => end(result, Deadline.none))
        .catch(() => undefined);
      throw error;
    }
    if (attempted.result === 'failed') {
      // Also when the request's time is over: a guess that took long is a guess.
      await end('failed', Deadline.after(Math.max(LONGEST_AFTERTHOUGHT_MS, deadline.remainingMs)));
    } else {
      // The attempt succeeded, whatever happens to the count: that can only make the limit stricter.
      await end(attempted.result, deadline.within(LONGEST_AFTERTHOUGHT_MS)).catch(() => undefined);
    }
    return attempted.value;
  }

  /** @returns 0 when the attempt may be made, else the seconds to wait */
  private async begin(
    limit: FailureLimit,
    keys: string[],
    id: string,
    deadline: Deadline,
  ): Promise<number> {
    const args = [id, limit.failures, limit.windowMs, LONGEST_ATTEMPT_MS];
    let answer = await this.redis.run(beginAttempt, keys, args, deadline);
    if (answer < 0 && this.waiting < MOST_WAITING) {
      this.waiting += 1;
      try {
        while (answer < 0 && deadline.remainingMs > LONGEST_CHECK_MS) {
          await delay(POLL_MS);
          answer = await this.redis.run(beginAttempt, keys, args, deadline);
        }
      } finally {
        this.waiting -= 1;
      }
    }
    return answer < 0 ? BUSY_RETRY_AFTER_SECONDS : Math.ceil(answer / 1000);
  }

  private keysOf(limit: FailureLimit, subject: string): string[] {
    const digest = createHash('sha256').update(subject).digest('base64url');
    return ['failed', 'under-way'].map((part) => this.redis.keys.key([limit.name, digest], part));
  }
}

async function resultOf(error: unknown): Promise<AttemptResult> {
  return error instanceof UndecidedAttemptError ? error.result : Promise.resolve('void');
}
