import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import {
  guessCount,
  windowCount,
  windowNames,
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

/** Maximum number of callers of an instance that wait for the same count. */
const MAX_QUEUE_LENGTH = 100;
/** A caller that waits for others keeps this much of its deadline for its own attempt. */
const ATTEMPT_RESERVE_MS = 1500;
/** Time to report the result of an attempt to the count. */
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

/** Thrown by an attempt whose caller times out before its result is known. The result is counted when it is known. */
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
 * Counts failures across all instances. Each attempt is reserved before it is made, so that concurrent attempts cannot exceed
 * the limit together. If reservations alone reach the limit, an attempt waits for their results.
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
   * Makes an attempt, if the sliding windows of a network and its site allow one more failure. An attempt that throws is not
   * counted, unless it throws an UndecidedAttemptError.
   *
   * @param network see `networkOf`; only digests of it and of its site are stored
   * @throws RedisUnavailableError: without the counters no attempt is allowed
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
   * Counts a failure at once, if the limit allows one more. It costs Redis half of what an attempt costs.
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

  /** Whether this instance knows, without Redis, that the limit refuses a further failure of a network. */
  isKnownBlocked(limit: FailureLimit, network: string): boolean {
    return this.blocks.waitMs(windowNames(limit, network)) > 0;
  }

  /**
   * Lets a caller try a secret of an account, unless too many attempts have failed. Strangers are counted together. Their
   * failures never block a caller with a proof.
   *
   * @param subject the account, which need not exist; only a digest of it is stored
   * @param make makes the guess. Its argument: whether the guess counts for the caller's own device or session
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
      // Best effort and not awaited: the reservation also expires by itself.
      resultOf(error)
        .then(async (result) => count.end(id, result, Deadline.none))
        .catch(() => undefined);
      throw error;
    }
    const { result, value } = attempted;
    if (result === 'failed') {
      // A failure is counted even after the deadline of the request.
      const until = Deadline.after(Math.max(SETTLE_TIMEOUT_MS, deadline.remainingMs));
      await count.end(id, 'failed', until);
    } else {
      // Best effort: if this fails, the limit only becomes stricter.
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
