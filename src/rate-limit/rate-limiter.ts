import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Deadline } from '../common/deadline/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import {
  guessCount,
  windowCount,
  type AttemptResult,
  type Begun,
  type FailureCount,
  type FailureLimit,
  type GuessLimit,
  type Proof,
} from './failure-counts.js';
import { RATE_LIMIT_OPTIONS } from './rate-limit.module-definition.js';
import type { RateLimitOptions } from './rate-limit.options.js';
import { WaitingLines } from './waiting-lines.js';

/** How many of an instance's callers may wait for attempts under way at the same count. */
const MAX_LINE_LENGTH = 100;
/** What the attempt itself may take, when nothing is wrong: a caller who waits for others leaves so much time for it. */
const MAX_CHECK_MS = 1500;
/** For settling the count after the request is decided. */
const SETTLE_TIMEOUT_MS = 300;
const BUSY_RETRY_AFTER_SECONDS = 1;

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
 * Counts failures across all instances. An attempt is reserved before it is made, so that attempts at the same time cannot
 * slip through together; those that find only reservations in their way wait for them.
 */
@Injectable()
export class RateLimiter {
  private readonly lines = new WaitingLines(MAX_LINE_LENGTH);

  constructor(
    private readonly redis: RedisCluster,
    @Inject(RATE_LIMIT_OPTIONS) private readonly options: RateLimitOptions,
  ) {}

  /**
   * Makes an attempt, if a sliding window has room for one more failure. An attempt that throws counts for nothing, unless
   * it throws an UndecidedAttemptError.
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
    return this.counted(windowCount(this.redis, limit, subject), deadline, make);
  }

  /**
   * Lets a caller guess at the secret of an account, unless too many guesses have failed. Strangers are counted together;
   * the failures of strangers never block a caller with a proof.
   *
   * @param subject the account, also one that does not exist; only a digest of it is stored
   * @param make its argument: whether the guess counts for the caller's own device or session
   * @throws as `attempt`
   */
  async guess<T>(
    limit: GuessLimit,
    subject: string,
    proof: Proof | undefined,
    deadline: Deadline,
    make: (isKnown: boolean) => Promise<Attempted<T>>,
  ): Promise<T | TooManyAttempts> {
    if (this.options.isOn === false) {
      return (await make(proof !== undefined)).value;
    }
    return this.counted(guessCount(this.redis, limit, subject, proof), deadline, make);
  }

  private async counted<T>(
    count: FailureCount,
    deadline: Deadline,
    make: (isKnown: boolean) => Promise<Attempted<T>>,
  ): Promise<T | TooManyAttempts> {
    const id = randomUUID();
    const { waitMs, isKnown } = await this.begin(count, id, deadline);
    if (waitMs !== 0) {
      const retryAfterSeconds = waitMs < 0 ? BUSY_RETRY_AFTER_SECONDS : Math.ceil(waitMs / 1000);
      return { outcome: 'too-many-attempts', retryAfterSeconds };
    }
    let attempted: Attempted<T>;
    try {
      attempted = await make(isKnown);
    } catch (error) {
      // Not awaited: the caller has waited long enough, and a reservation also runs out by itself.
      resultOf(error)
        .then(async (result) => count.end(id, result, Deadline.none))
        .catch(() => undefined);
      throw error;
    }
    const { result, value } = attempted;
    if (result === 'failed') {
      // Also when the request's time is over: a guess that took long is a guess.
      const until = Deadline.after(Math.max(SETTLE_TIMEOUT_MS, deadline.remainingMs));
      await count.end(id, 'failed', until);
    } else {
      // The attempt succeeded, whatever happens to the count: that can only make the limit stricter.
      await count.end(id, result, deadline.within(SETTLE_TIMEOUT_MS)).catch(() => undefined);
    }
    return value;
  }

  private async begin(count: FailureCount, id: string, deadline: Deadline): Promise<Begun> {
    const first = await count.begin(id, deadline);
    if (first.waitMs >= 0) {
      return first;
    }
    const patience = Deadline.after(deadline.remainingMs - MAX_CHECK_MS);
    const answer = await this.lines.wait(count.name, patience, async () => {
      const next = await count.begin(id, deadline);
      return next.waitMs < 0 ? undefined : next;
    });
    return answer ?? first;
  }
}

async function resultOf(error: unknown): Promise<AttemptResult> {
  return error instanceof UndecidedAttemptError ? error.result : Promise.resolve('void');
}
