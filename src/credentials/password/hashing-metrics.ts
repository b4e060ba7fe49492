import { DurationTally, seriesBy, type MetricsRegistry } from '../../metrics/index.js';

const BUCKETS_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export class HashingMetrics {
  /**
   * `full`: the queue was full. `late`: the deadline passed before the work began, or less than `MIN_REMAINING_MS` of it was
   * left.
   */
  readonly refused = { full: 0, late: 0 };
  private readonly time = new DurationTally(BUCKETS_SECONDS);

  constructor(
    counts: { readonly waiting: () => number; readonly running: () => number },
    registry: MetricsRegistry | undefined,
  ) {
    registry?.gauge(
      'keyslot_password_hashing_waiting',
      'Passwords that wait for their turn.',
      counts.waiting,
    );
    registry?.gauge(
      'keyslot_password_hashing_running',
      'Passwords that are hashed or checked now.',
      counts.running,
    );
    registry?.counters(
      'keyslot_password_hashing_refused_total',
      'Passwords that were not hashed: too many waited, or there was no time left.',
      () => seriesBy('reason', this.refused),
    );
    registry?.histogram(
      'keyslot_password_hashing_duration_seconds',
      'To hash or check a password, without the wait for its turn.',
      () => [[{}, this.time]],
    );
  }

  async timed<Result>(work: () => Promise<Result>): Promise<Result> {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.time.observe(performance.now() - begun);
    }
  }
}
