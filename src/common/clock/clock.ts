/** The instance's own time. Replaced in tests; what Redis stores is timed by Redis itself. */
export class Clock {
  /** Milliseconds since the epoch. */
  now(): number {
    return Date.now();
  }

  /** Whole seconds since the epoch, as RFC 7519 counts them. */
  nowSeconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** Milliseconds since some moment; never set, but it may stand still while the machine sleeps. */
  monotonic(): number {
    return performance.now();
  }
}
