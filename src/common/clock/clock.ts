import { setTimeout as delay } from 'node:timers/promises';

/** Smaller differences are left alone: clocks that are kept by NTP differ by less. */
const TOLERANCE_MS = 1000;

/** A moment of the clock that is followed, and of our own monotonic one. */
interface Followed {
  readonly time: number;
  readonly monotonic: number;
}

/** The instance's time. Replaced in tests; what Redis stores is timed by Redis itself. */
export class Clock {
  /** Only where the machine's own clock is wrong. */
  private followed: Followed | undefined;

  /** Milliseconds since the epoch, by the clock that all instances share. */
  now(): number {
    return this.followed
      ? this.followed.time + (this.monotonic() - this.followed.monotonic)
      : this.wall();
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

  /**
   * Waits for so many milliseconds.
   *
   * @param options.ref whether the wait keeps the process alive. Default true
   * @throws AbortError when the signal aborts it
   */
  async delay(ms: number, options: { signal?: AbortSignal; ref?: boolean } = {}): Promise<void> {
    await delay(ms, undefined, options);
  }

  /** Whether the machine's own clock is wrong, and another one is followed. */
  get isFollowing(): boolean {
    return this.followed !== undefined;
  }

  /** @param time what the shared clock says now, in milliseconds since the epoch */
  follow(time: number): void {
    const isRight = Math.abs(time - this.wall()) <= TOLERANCE_MS;
    this.followed = isRight ? undefined : { time, monotonic: this.monotonic() };
  }
}
