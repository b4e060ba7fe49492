import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;

/** Measures the delay of this process, which increases all times that it measures. */
export class OwnDelay {
  private readonly histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.histogram.enable();
  }

  /** Stops the measurement. @returns the maximum delay */
  stop(): number {
    this.histogram.disable();
    return Math.max(0, Math.round(this.histogram.max / 1e6) - RESOLUTION_MS);
  }
}
