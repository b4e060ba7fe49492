import type { Clock } from '../common/clock/index.js';

/** How far the wall clock may be set back, as time services do, before trust ends. Less than the margin of a change. */
const SET_BACK_TOLERANCE_MS = 50;

/** A moment on both clocks of an instance. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/**
 * Whether an instance may trust its memory. The time that has passed is the larger of what the two clocks say: the
 * monotonic one stands still while a machine sleeps, the wall clock can be set. One that is set back ends the trust.
 */
export class Lease {
  private begun: Moment | undefined;

  constructor(
    readonly lengthMs: number,
    private readonly clock: Clock,
  ) {}

  moment(): Moment {
    return { monotonic: this.clock.monotonic(), wall: this.clock.wall() };
  }

  /** @param from taken before the control log was asked, never after */
  extend(from: Moment): void {
    this.begun = from;
  }

  revoke(): void {
    this.begun = undefined;
  }

  get isHeld(): boolean {
    return this.remainingMs > 0;
  }

  get remainingMs(): number {
    if (this.begun === undefined) {
      return 0;
    }
    const monotonic = this.clock.monotonic() - this.begun.monotonic;
    const wall = this.clock.wall() - this.begun.wall;
    const isSetBack = wall < monotonic - SET_BACK_TOLERANCE_MS;
    return isSetBack ? 0 : Math.max(0, this.lengthMs - Math.max(monotonic, wall));
  }
}
