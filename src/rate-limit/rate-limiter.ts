import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import {
  guessCount,
  windowCount,
  type AttemptResult,
  type Reservation,
  type FailureCount,
  type FailureLimit,
  type GuessLimit,
  type GuessResult,
  type Proof,
} from './failure-counts.js';
import { KnownBlocks } from './known-blocks.js';
import { RATE_LIMIT_OPTIONS } from './rate-limit.module-definition.js';
import type { RateLimitOptions } from './rate-limit.options.js';
import { WaitQueues } from './wait-queues.js';

/** How many of an instance's callers may wait for attempts under way at the same count. */
const MAX_QUEUE_LENGTH = 100;
/** What the attempt itself may take, when nothing is wrong: a caller who waits for others leaves so much time for it. */
const ATTEMPT_RESERVE_MS = 1500;
/** For settling the count after the request is decided. */
const SETTLE_TIMEOUT_MS = 300;
const BUSY_RETRY_AFTER_SECONDS = 1;

export interface Attempted<T, Result = AttemptResult> {
  readonly value: T;
  readonly result: Result;
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
  private readonly queues = new WaitQueues(MAX_QUEUE_LENGTH);
  private readonly blocks: KnownBlocks;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(RATE_LIMIT_OPTIONS) private readonly options: RateLimitOptions,
    clock: Clock,
  ) {
    this.blocks = new KnownBlocks(clock);
  }

  /**
   * Makes an attempt, if the sliding windows of a network and its site have room for one more failure. An attempt that
   * throws counts for nothing, unless it throws an UndecidedAttemptError.
   *
   * @param network see `networkOf`; only digests of it and of its site are stored
   * @throws RedisUnavailableError: without the counters nothing is allowed
   */
  async attempt<T>(
    limit: FailureLimit,
    network: string,
    deadline: Deadline,
    make: () => Promise<Attempted<T>>,
  ): Promise<T | TooManyAttempts> {
    if (this.options.isOn === false) {
      return (await make()).value;
    }
    return this.runCounted(windowCount(this.redis, limit, network, this.blocks), deadline, make);
  }

  /**
   * Counts what is a failure whatever comes of it, if there is room for one: half of what an attempt costs Redis.
   *
   * @returns undefined when it was counted
   * @throws as `attempt`
   */
  async count(
    limit: FailureLimit,
    network: string,
    deadline: Deadline,
  ): Promise<TooManyAttempts | undefined> {
    if (this.options.isOn === false) {
      return undefined;
    }
    const count = windowCount(this.redis, limit, network, this.blocks);
    const id = randomUUID();
    const { waitMs } = await this.begin(count.name, deadline, async () => count.add(id, deadline));
    return waitMs === 0 ? undefined : tooManyAttempts(waitMs);
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
    make: (isKnown: boolean) => Promise<Attempted<T, GuessResult>>,
  ): Promise<T | TooManyAttempts> {
    if (this.options.isOn === false) {
      return (await make(proof !== undefined)).value;
    }
    return this.runCounted(guessCount(this.redis, limit, subject, proof), deadline, make);
  }

  private async runCounted<T, Result extends GuessResult>(
    count: FailureCount<Result | AttemptResult>,
    deadline: Deadline,
    make: (isKnown: boolean) => Promise<Attempted<T, Result>>,
  ): Promise<T | TooManyAttempts> {
    const id = randomUUID();
    const { waitMs, isKnown } = await this.begin(count.name, deadline, async () =>
      count.begin(id, deadline),
    );
    if (waitMs !== 0) {
      return tooManyAttempts(waitMs);
    }
    let attempted: Attempted<T, Result>;
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

  private async begin(
    name: string,
    deadline: Deadline,
    ask: () => Promise<Reservation>,
  ): Promise<Reservation> {
    const first = await ask();
    if (first.waitMs >= 0) {
      return first;
    }
    const waitDeadline = Deadline.after(deadline.remainingMs - ATTEMPT_RESERVE_MS);
    const answer = await this.queues.wait(name, waitDeadline, async () => {
      const next = await ask();
      return next.waitMs < 0 ? undefined : next;
    });
    return answer ?? first;
  }
}

function tooManyAttempts(waitMs: number): TooManyAttempts {
  const retryAfterSeconds = waitMs < 0 ? BUSY_RETRY_AFTER_SECONDS : Math.ceil(waitMs / 1000);
  return { outcome: 'too-many-attempts', retryAfterSeconds };
}

async function resultOf(error: unknown): Promise<AttemptResult> {
  return error instanceof UndecidedAttemptError ? error.result : Promise.resolve('void');
}
