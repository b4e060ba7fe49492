import { withTimeout } from './with-timeout.js';

/**
 * The moment after which nobody waits for an answer any more. Whatever waits on behalf of a request is given the
 * request's own, and ends with it: what is not done by then is abandoned, and may be repeated.
 */
export class Deadline {
  /** For work that no caller waits for: each of its steps ends by its own limit. */
  static readonly none = new Deadline(Infinity);

  /** @param at on the monotonic clock, in milliseconds */
  private constructor(private readonly at: number) {}

  static after(ms: number): Deadline {
    return new Deadline(performance.now() + ms);
  }

  /** Milliseconds that are left, 0 when none are. */
  get remainingMs(): number {
    return Math.max(0, this.at - performance.now());
  }

  get hasPassed(): boolean {
    return performance.now() >= this.at;
  }

  /**
   * The work's result, unless it comes too late. The work itself goes on: whoever started it must expect that.
   *
   * @throws what `onTimeout` makes, when the deadline passes first
   */
  async limit<T>(work: Promise<T>, onTimeout: () => Error): Promise<T> {
    return withTimeout(this.remainingMs, work, { onTimeout });
  }

  /** This one, or one so many milliseconds from now, whichever comes first. */
  within(ms: number): Deadline {
    return new Deadline(Math.min(this.at, performance.now() + ms));
  }
}
