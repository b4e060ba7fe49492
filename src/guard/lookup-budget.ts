import { Clock } from '../common/clock/index.js';

/** Look-ups for unverified tokens that this instance may make in a row. */
export const LOOKUP_BURST = 50;
/** Interval after which one more look-up is allowed. */
export const LOOKUP_INTERVAL_MS = 200;

/**
 * Limits the cost of forged access tokens for the cluster. A look-up in Redis before the signature check can save the check,
 * because Redis may know the token as verified. Each such look-up takes one unit of this budget, and a genuine token returns
 * it. So only forged tokens exhaust the budget. While it is empty, the signature is checked first.
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

  /** Returns a unit: the token was not forged. */
  giveBack(): void {
    this.left = Math.min(LOOKUP_BURST, this.left + 1);
  }
}
