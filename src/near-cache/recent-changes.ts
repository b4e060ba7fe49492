/** Upper bounds of the durations of changes, in seconds. A last bucket counts those above. */
export const CHANGE_BUCKETS_SECONDS = [
  0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
] as const;

const MINUTES = 60;
const MINUTE_MS = 60_000;

interface Minute {
  number: number;
  readonly counts: number[];
}

/** How long the changes of the last hour took, by bucket. The memory is bounded: counts for each minute. */
export class RecentChanges {
  private readonly minutes = Array.from({ length: MINUTES }, (): Minute => ({
    number: -1,
    counts: emptyCounts(),
  }));

  /** @param now on the monotonic clock */
  observe(ms: number, now: number): void {
    const number = Math.floor(now / MINUTE_MS);
    const minute = this.minutes[number % MINUTES]!;
    if (minute.number !== number) {
      minute.number = number;
      minute.counts.fill(0);
    }
    const bucket = CHANGE_BUCKETS_SECONDS.findIndex((bound) => ms <= bound * 1000);
    minute.counts[bucket < 0 ? CHANGE_BUCKETS_SECONDS.length : bucket]! += 1;
  }

  /** @returns the number of changes in each bucket */
  countsAt(now: number): number[] {
    const oldest = Math.floor(now / MINUTE_MS) - MINUTES;
    const recent = this.minutes.filter(({ number }) => number > oldest && number >= 0);
    return emptyCounts().map((_, bucket) =>
      recent.reduce((sum, { counts }) => sum + counts[bucket]!, 0),
    );
  }
}

function emptyCounts(): number[] {
  return [...CHANGE_BUCKETS_SECONDS, Infinity].map(() => 0);
}
