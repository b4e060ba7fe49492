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
  type WindowCount,
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
  /** A value that is still awaited does not delay the report of the result to Redis. */
  readonly value: T | Promise<T>;
  readonly result: Result;
}

export interface GuessOptions<Prepared> {
  /**
   * A limit for the network of the caller, in addition to the limit of the account. It is reserved first, so a network at its
   * limit costs the account nothing. Default: none.
   */
  readonly perNetwork?: { readonly limit: FailureLimit; readonly network: string } | undefined;
  /**
   * Prepares the guess, in parallel with the reservation in the count of the account. Its result is discarded when the guess
   * may not be made.
   */
  readonly prepare?: (() => Promise<Prepared>) | undefined;
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
    return this.counted(deadline, async (reserve) => {
      const { waitMs } = await reserve(this.windowOf(limit, network));
      return waitMs === 0 ? make() : refused(waitMs);
    });
  }

  /**
   * Counts a failure at once, if the limit allows one more. It costs Redis half of what an attempt costs.
   *
   * @param network see `networkOf`; or the id of a user, for a limit that counts users and not networks
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
    const count = this.windowOf(limit, network);
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
   * @param make makes the guess. Its arguments: whether the guess counts for the caller's own device or session, and what
   * `prepare` has returned
   * @throws as `attempt`
   */
  async guess<T, Prepared = undefined>(
    limit: GuessLimit,
    subject: string,
    proof: Proof | undefined,
    deadline: Deadline,
    make: (isKnown: boolean, prepared: Prepared) => Promise<Attempted<T, GuessResult>>,
    { perNetwork, prepare }: GuessOptions<Prepared> = {},
  ): Promise<T | TooManyAttempts> {
    if (this.options.isOn === false) {
      return (await make(proof !== undefined, (await prepare?.()) as Prepared)).value;
    }
    return this.counted(deadline, async (reserve) => {
      if (perNetwork) {
        const { waitMs } = await reserve(this.windowOf(perNetwork.limit, perNetwork.network));
        if (waitMs !== 0) {
          return refused(waitMs);
        }
      }
      const prepared = prepare?.();
      // Nobody awaits it if the guess may not be made.
      prepared?.catch(() => undefined);
      const { waitMs, isKnown } = await reserve(guessCount(this.redis, limit, subject, proof));
      return waitMs === 0 ? make(isKnown, (await prepared) as Prepared) : refused(waitMs);
    });
  }

  private windowOf(limit: FailureLimit, network: string): WindowCount {
    return windowCount(this.redis, limit, network, this.blocks);
  }

  /** @param run makes the attempt after it has reserved it in each count. Its result is reported to all these counts at once */
  private async counted<T>(
    deadline: Deadline,
    run: (
      reserve: (count: FailureCount) => Promise<Reservation>,
    ) => Promise<Attempted<T | TooManyAttempts, GuessResult>>,
  ): Promise<T | TooManyAttempts> {
    const id = randomUUID();
    const reserved: FailureCount[] = [];
    const reserve = async (count: FailureCount): Promise<Reservation> => {
      const ask = async (): Promise<Reservation> => count.begin(id, deadline);
      const reservation = await this.begin(count.name, deadline, ask);
      if (reservation.waitMs === 0) {
        reserved.push(count);
      }
      return reservation;
    };
    let attempted: Attempted<T | TooManyAttempts, GuessResult>;
    try {
      attempted = await run(reserve);
    } catch (error) {
      // Best effort and not awaited: the reservation also expires by itself.
      resultOf(error)
        .then(async (result) => endAll(reserved, id, result, Deadline.none))
        .catch(() => undefined);
      throw error;
    }
    const settled = settle(reserved, id, attempted.result, deadline);
    const [value] = await Promise.all([attempted.value, settled]);
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

async function settle(
  counts: readonly FailureCount[],
  id: string,
  result: GuessResult,
  deadline: Deadline,
): Promise<void> {
  if (result === 'failed') {
    // A failure is counted even after the deadline of the request.
    const until = Deadline.after(Math.max(SETTLE_TIMEOUT_MS, deadline.remainingMs));
    await endAll(counts, id, 'failed', until);
  } else {
    // Best effort: if this fails, the limit only becomes stricter.
    const limited = deadline.within(SETTLE_TIMEOUT_MS);
    await endAll(counts, id, result, limited).catch(() => undefined);
  }
}

async function endAll(
  counts: readonly FailureCount[],
  id: string,
  result: GuessResult,
  deadline: Deadline,
): Promise<void> {
  await Promise.all(counts.map(async (count) => count.end(id, result, deadline)));
}

function refused(waitMs: number): Attempted<TooManyAttempts> {
  return { value: tooManyAttempts(waitMs), result: 'void' };
}

function tooManyAttempts(waitMs: number): TooManyAttempts {
  const retryAfterSeconds = waitMs < 0 ? BUSY_RETRY_AFTER_SECONDS : Math.ceil(waitMs / 1000);
  return { outcome: 'too-many-attempts', retryAfterSeconds };
}

async function resultOf(error: unknown): Promise<AttemptResult> {
  return error instanceof UndecidedAttemptError ? error.result : Promise.resolve('void');
}
