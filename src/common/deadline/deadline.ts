import { withTimeout } from './with-timeout.js';

/**
 * The moment at which work is abandoned because its caller no longer waits. All work on behalf of a request receives the
 * deadline of the request. Abandoned work may still complete, and must be safe to retry.
 */
export class Deadline {
  /** For background work. Each of its steps has a timeout of its own. */
  static readonly none = new Deadline(Infinity);

  /** @param at on the monotonic clock, in milliseconds */
  private constructor(private readonly at: number) {}

  static after(ms: number): Deadline {
    return new Deadline(performance.now() + ms);
  }

  /** Milliseconds until the deadline; 0 after it. */
  get remainingMs(): number {
    return Math.max(0, this.at - performance.now());
  }

  get hasPassed(): boolean {
    return performance.now() >= this.at;
  }

  /**
   * Returns the result of the work. A timeout does not cancel the work.
   *
   * @throws the error that `onTimeout` creates, when the deadline passes first
   */
  async limit<T>(work: Promise<T>, onTimeout: () => Error): Promise<T> {
    return withTimeout(this.remainingMs, work, { onTimeout });
  }

  /** The earlier of this deadline and `ms` milliseconds from now. */
  within(ms: number): Deadline {
    return new Deadline(Math.min(this.at, performance.now() + ms));
  }
}
