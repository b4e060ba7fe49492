import type { Clock } from '../common/clock/index.js';

/**
 * If the wall clock is set back by at most this much, for example by NTP, the lease does not end. The value must be smaller
 * than `SAFETY_MARGIN_MS` of `near-cache.options.ts`, which also has the length of a lease.
 */
const SET_BACK_TOLERANCE_MS = 50;

/** A point in time on both clocks of an instance. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/**
 * Decides whether an instance may trust its memory. The elapsed time is the larger one of two clocks: the monotonic clock
 * stops while a machine sleeps, and the wall clock can be set. A wall clock that is set back ends the lease.
 */
export class Lease {
  private startedAt: Moment | undefined;

  constructor(
    readonly lengthMs: number,
    private readonly clock: Clock,
  ) {}

  moment(): Moment {
    return { monotonic: this.clock.monotonic(), wall: this.clock.wall() };
  }

  /** @param from taken before the renewal was sent */
  extend(from: Moment): void {
    this.startedAt = from;
  }

  revoke(): void {
    this.startedAt = undefined;
  }

  /** Whether the lease was revoked, or has never begun. */
  get isRevoked(): boolean {
    return this.startedAt === undefined;
  }

  get isHeld(): boolean {
    return this.remainingMs > 0;
  }

  get remainingMs(): number {
    return this.remainingMsAt(this.clock.monotonic());
  }

  /** @param now the current time on the monotonic clock, for a caller that needs it as well */
  remainingMsAt(now: number): number {
    if (this.startedAt === undefined) {
      return 0;
    }
    const monotonic = now - this.startedAt.monotonic;
    const wall = this.clock.wall() - this.startedAt.wall;
    const isSetBack = wall < monotonic - SET_BACK_TOLERANCE_MS;
    return isSetBack ? 0 : Math.max(0, this.lengthMs - Math.max(monotonic, wall));
  }
}
