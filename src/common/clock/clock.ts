import { setTimeout as delay } from 'node:timers/promises';

/** Maximum difference between the clocks of two instances. */
export const CLOCK_SKEW_SECONDS = 10;

/** Clocks that NTP synchronizes differ by less. */
const TOLERANCE_MS = 1000;

/** A reading of the shared clock, and of the monotonic clock of this machine at the same moment. */
interface Followed {
  readonly time: number;
  readonly monotonic: number;
}

/** The time of the instance. Tests replace it. Redis uses its own clock for what it stores. */
export class Clock {
  /** Set only while the clock of this machine is wrong. */
  private followed: Followed | undefined;

  /** Milliseconds since the epoch, by the clock that all instances share (that of the cluster). */
  now(): number {
    return this.followed
      ? this.followed.time + (this.monotonic() - this.followed.monotonic)
      : this.wall();
  }

  /** Whole seconds since the epoch (NumericDate of RFC 7519). */
  nowSeconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** Milliseconds since the epoch by the clock of this machine, which may be wrong. */
  wall(): number {
    return Date.now();
  }

  /** Milliseconds since an arbitrary moment. Never adjusted, but it may stop while the machine sleeps. */
  monotonic(): number {
    return performance.now();
  }

  /**
   * @param options.ref whether the wait keeps the process alive. Default true
   * @throws AbortError when the signal aborts it
   */
  async delay(ms: number, options: { signal?: AbortSignal; ref?: boolean } = {}): Promise<void> {
    await delay(ms, undefined, options);
  }

  /** Whether the clock of this machine is wrong, so that the shared clock is followed instead. */
  get isFollowing(): boolean {
    return this.followed !== undefined;
  }

  /** @param time the current time of the shared clock, in milliseconds since the epoch */
  follow(time: number): void {
    const isRight = Math.abs(time - this.wall()) <= TOLERANCE_MS;
    this.followed = isRight ? undefined : { time, monotonic: this.monotonic() };
  }
}
