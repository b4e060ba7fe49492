import { LRUCache } from 'lru-cache';

import type { Clock } from '../common/clock/index.js';

/** About 2 MB. A block that is dropped costs one question to Redis. */
const MAX_BLOCKS = 10_000;

/**
 * Networks and sites that Redis has said to be at a limit, and until when. What they try meanwhile is refused without asking
 * Redis again. Failures leave a sliding window at a known time and are never forgiven before it, so no block is remembered
 * for longer than Redis would keep it.
 */
export class KnownBlocks {
  private readonly untilByName = new LRUCache<string, number>({ max: MAX_BLOCKS });

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  now(): number {
    return this.clock.monotonic();
  }

  /** @param until on the clock of `now`; counted from before Redis was asked, so that it is never too late */
  add(name: string, until: number): void {
    if (until > this.now()) {
      this.untilByName.set(name, until);
    }
  }

  /** @returns how long the longest block of these lasts, in milliseconds; 0 when none is known */
  waitMs(names: readonly string[]): number {
    const now = this.now();
    const untils = names.map((name) => this.untilByName.get(name) ?? now);
    return Math.max(0, ...untils.map((until) => until - now));
  }
}
