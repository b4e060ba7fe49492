import type { Clock } from '../clock/index.js';

/** Look-ups for unauthenticated callers that this instance may make in a row. */
export const LOOKUP_BURST = 50;
/** Interval after which one more look-up is allowed. */
export const LOOKUP_INTERVAL_MS = 200;

/**
 * Limits what unauthenticated callers can cost Redis, who can present any number of forged tokens or of unknown ids. Each look-up
 * takes one unit of this budget, and a genuine caller returns it. So only forgeries exhaust the budget.
 */
export class LookupBudget {
  private left = LOOKUP_BURST;
  private refilledAt: number;

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {
    this.refilledAt = clock.monotonic();
  }

  /** @returns whether the look-up is allowed */
  take(): boolean {
    const now = this.clock.monotonic();
    const earned = Math.floor((now - this.refilledAt) / LOOKUP_INTERVAL_MS);
    this.left = Math.min(LOOKUP_BURST, this.left + earned);
    this.refilledAt += earned * LOOKUP_INTERVAL_MS;
    if (this.left === 0) {
      return false;
    }
    this.left -= 1;
    return true;
  }

  /** Returns a unit: the caller was genuine. */
  giveBack(): void {
    this.left = Math.min(LOOKUP_BURST, this.left + 1);
  }
}
