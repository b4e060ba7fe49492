/** Smaller differences are left alone: clocks that are kept by NTP differ by less. */
const TOLERANCE_MS = 1000;

/** The instance's time. Replaced in tests; what Redis stores is timed by Redis itself. */
export class Clock {
  private offset = 0;

  /** Milliseconds since the epoch, by the clock that all instances share. */
  now(): number {
    return this.wall() + this.offset;
  }

  /** Whole seconds since the epoch, as RFC 7519 counts them. */
  nowSeconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** Milliseconds since the epoch as this machine has it, right or wrong. */
  wall(): number {
    return Date.now();
  }

  /** Milliseconds since some moment; never set, but it may stand still while the machine sleeps. */
  monotonic(): number {
    return performance.now();
  }

  /** What `now` adds to this machine's clock, in milliseconds. */
  get offsetMs(): number {
    return this.offset;
  }

  /** @param aheadMs how far the shared clock is ahead of this machine's, in milliseconds */
  follow(aheadMs: number): void {
    this.offset = Math.abs(aheadMs) > TOLERANCE_MS ? aheadMs : 0;
  }
}
