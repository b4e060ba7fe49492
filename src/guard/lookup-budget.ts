import { Clock } from '../common/clock/index.js';

/** Questions about forgeries that this instance may ask at once. */
export const LOOKUP_BURST = 50;
/** How long it takes until one more may be asked. */
export const LOOKUP_INTERVAL_MS = 200;

/**
 * Bounds what forged access tokens cost the cluster. To ask Redis about a token whose signature nobody here has checked
 * saves that check, when Redis knows the token as verified. Each such question takes one unit of this budget, and a genuine
 * token gives it back. So only forgeries use the budget up; while it is empty, the signature is checked first.
 */
export class LookupBudget {
  private left = LOOKUP_BURST;
  private refilledAt: number;

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {
    this.refilledAt = clock.monotonic();
  }

  /** @returns whether the question may be asked */
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

  /** The question that was asked was not about a forgery. */
  giveBack(): void {
    this.left = Math.min(LOOKUP_BURST, this.left + 1);
  }
}
