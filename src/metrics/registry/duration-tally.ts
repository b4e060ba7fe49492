import type { Value } from './read-metric.js';

type Labels = Readonly<Record<string, string>>;

const MICROSECONDS_PER_MS = 1000;
const MICROSECONDS_PER_SECOND = 1_000_000;

/**
 * One series of a histogram of durations. It counts in whole microseconds, because adding small integers allocates nothing,
 * while adding fractions allocates on every request.
 */
export class DurationTally {
  private readonly bounds: readonly number[];
  /** Not cumulative. The last element counts values above all bounds. */
  private readonly counts: number[];
  private sum = 0;

  /** @param boundsSeconds the buckets' upper bounds, ascending */
  constructor(boundsSeconds: readonly number[]) {
    this.bounds = boundsSeconds.map((bound) => Math.round(bound * MICROSECONDS_PER_SECOND));
    this.counts = [...boundsSeconds.map(() => 0), 0];
  }

  observe(ms: number): void {
    const microseconds = Math.round(ms * MICROSECONDS_PER_MS);
    let bucket = 0;
    while (bucket < this.bounds.length && microseconds > this.bounds[bucket]!) {
      bucket += 1;
    }
    this.counts[bucket]! += 1;
    this.sum += microseconds;
  }

  /** The number of values. */
  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Converts to the format of Prometheus: cumulative buckets, in seconds. */
  valuesOf(name: string, labels: Labels): Value[] {
    let count = 0;
    const buckets = this.counts.map((inBucket, index) => {
      count += inBucket;
      const bound = this.bounds[index];
      const le = bound === undefined ? '+Inf' : bound / MICROSECONDS_PER_SECOND;
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.sum / MICROSECONDS_PER_SECOND },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
