/** A worker that has served for this time was not prevented from serving by its start. */
const MIN_UPTIME_MS = 10_000;
/** Waits before the replacements of workers that ended sooner, one after the other. */
const DELAYS_MS = [0, 1000, 2000, 4000, 8000];

/** When a worker that has ended is replaced. */
export class RestartPolicy {
  /** Workers that ended too soon, one after the other. */
  private failures = 0;

  /**
   * @param uptimeMs how long the worker was ready
   * @returns the wait in milliseconds before the replacement starts; undefined when further replacements are useless
   */
  delayAfter(uptimeMs: number): number | undefined {
    this.failures = uptimeMs < MIN_UPTIME_MS ? this.failures + 1 : 0;
    return DELAYS_MS[Math.max(0, this.failures - 1)];
  }
}
