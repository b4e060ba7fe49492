import { Clock } from '../../src/common/clock/index.js';

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock that stands still until a test advances it. Delays end at their time, and take no real time. */
export class FakeClock extends Clock {
  /** How far the wall clock was set, in milliseconds. */
  wallShiftMs = 0;
  private time = 1_000_000;
  private readonly timers = new Set<Timer>();

  override wall(): number {
    return this.time + this.wallShiftMs;
  }

  override monotonic(): number {
    return this.time;
  }

  override async delay(ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const timer: Timer = { at: this.time + ms, fire: resolve };
      this.timers.add(timer);
      signal?.addEventListener('abort', () => {
        this.timers.delete(timer);
        reject(signal.reason as Error);
      });
    });
  }

  /** Whether anything waits for a later time. */
  get isAwaited(): boolean {
    return this.timers.size > 0;
  }

  /** Advances the time, and runs the timers in between, each at its time. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (let timer = this.next(end); timer; timer = this.next(end)) {
      this.timers.delete(timer);
      this.time = Math.max(this.time, timer.at);
      timer.fire();
      await settled();
    }
    this.time = end;
  }

  private next(end: number): Timer | undefined {
    const [first] = [...this.timers].sort((one, other) => one.at - other.at);
    return first && first.at <= end ? first : undefined;
  }
}

/** A clock that is too slow by a factor, and otherwise follows another one. */
export class SlowClock extends Clock {
  constructor(
    private readonly clock: FakeClock,
    private readonly speed: number,
  ) {
    super();
  }

  override wall(): number {
    return this.clock.wall() * this.speed;
  }

  override monotonic(): number {
    return this.clock.monotonic() * this.speed;
  }

  override async delay(ms: number, options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.clock.delay(ms / this.speed, options);
  }
}

/** Waits until all pending work has run, except timers and I/O. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
