import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;

/** How late this process is with what it does: then all that it measures is later than it was. */
export class OwnDelay {
  private readonly histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.histogram.enable();
  }

  /** Ends it. @returns the largest delay since it began */
  stop(): number {
    this.histogram.disable();
    return Math.max(0, Math.round(this.histogram.max / 1e6) - RESOLUTION_MS);
  }
}
