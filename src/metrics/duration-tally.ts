import type { Value } from './read-metric.js';

type Labels = Readonly<Record<string, string>>;

const MICROSECONDS_PER_MS = 1000;
const MICROSECONDS_PER_SECOND = 1_000_000;

/**
 * How long something took, and how often: one series of a histogram, in whole microseconds. To add to small integers
 * allocates nothing, where to add to fractions would, for each request.
 */
export class DurationTally {
  private readonly bounds: readonly number[];
  /** Of each bucket alone, and at last of what is beyond them. */
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

  /** As Prometheus has it: each bucket with all below it, in seconds. */
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
