import { LRUCache } from 'lru-cache';

import type { Clock } from '../common/clock/index.js';

/** About 2 MB. A dropped block costs one look-up in Redis. */
const MAX_BLOCKS = 10_000;

/**
 * Remembers networks and sites that are at a limit, and until when. Until then, their attempts are refused without a look-up
 * in Redis. Failures leave a sliding window at a known time and are never cleared earlier, so no block is remembered for
 * longer than Redis keeps it.
 */
export class KnownBlocks {
  private readonly untilByName = new LRUCache<string, number>({ max: MAX_BLOCKS });

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  now(): number {
    return this.clock.monotonic();
  }

  /** @param until on the clock of `now`. Computed from the time before the look-up, so that it is never too late */
  add(name: string, until: number): void {
    if (until > this.now()) {
      this.untilByName.set(name, until);
    }
  }

  /** @returns the remaining time of the longest of these blocks, in milliseconds; 0 when none is known */
  waitMs(names: readonly string[]): number {
    const now = this.now();
    const untils = names.map((name) => this.untilByName.get(name) ?? now);
    return Math.max(0, ...untils.map((until) => until - now));
  }
}
