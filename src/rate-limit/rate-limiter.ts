import { Injectable } from '@nestjs/common';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { LuaScript, RedisCluster } from '../redis-cluster/index.js';

/** An attempt that was neither settled nor given up by then belongs to a process that is gone. */
const LONGEST_ATTEMPT_MS = 10_000;
const POLL_MS = 50;

const beginAttempt = LuaScript.fromFile(
  new URL('./scripts/begin-attempt.lua', import.meta.url),
  Number,
);
const endAttempt = LuaScript.fromFile(
  new URL('./scripts/end-attempt.lua', import.meta.url),
  Number,
);

export interface FailureLimit {
  /** What is counted, such as `login-account`. Part of the key. */
  readonly name: string;
  readonly failures: number;
  readonly windowMs: number;
}

export type AttemptResult = 'failed' | 'void' | 'reset';

export type AttemptDecision =
  | { readonly isAllowed: true; end(result: AttemptResult): Promise<void> }
  | { readonly isAllowed: false; readonly retryAfterMs: number };

/**
 * Counts failures over a sliding window, across all instances. An attempt is reserved before it is made, so that
 * attempts at the same time cannot slip through together; those that find only reservations in their way wait for them.
 */
@Injectable()
export class RateLimiter {
  constructor(private readonly redis: RedisCluster) {}

  /**
   * @param subject whose failures are counted; only a digest of it is stored
   * @throws RedisUnavailableError: without the counters nothing is allowed
   */
  async begin(limit: FailureLimit, subject: string): Promise<AttemptDecision> {
    const id = randomUUID();
    const keys = this.keysOf(limit, subject);
    const args = [id, limit.failures, limit.windowMs, LONGEST_ATTEMPT_MS];
    const deadline = performance.now() + LONGEST_ATTEMPT_MS;
    for (;;) {
      const answer = await this.redis.run(beginAttempt, keys, args);
      if (answer === 0) {
        return { isAllowed: true, end: (result) => this.end(limit, keys, id, result) };
      }
      if (answer > 0) {
        return { isAllowed: false, retryAfterMs: answer };
      }
      if (performance.now() > deadline) {
        return { isAllowed: false, retryAfterMs: 1000 };
      }
      await delay(POLL_MS);
    }
  }

  private async end(
    limit: FailureLimit,
    keys: string[],
    id: string,
    result: AttemptResult,
  ): Promise<void> {
    await this.redis.run(endAttempt, keys, [id, result, limit.windowMs]);
  }

  private keysOf(limit: FailureLimit, subject: string): string[] {
    const digest = createHash('sha256').update(subject).digest('base64url');
    return ['failed', 'under-way'].map((part) => this.redis.keys.key([limit.name, digest], part));
  }
}
