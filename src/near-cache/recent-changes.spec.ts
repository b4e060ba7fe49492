import { RecentChanges } from './recent-changes.js';

const MINUTE_MS = 60_000;

describe('the changes of the last hour', () => {
  it('are counted by their duration, and forgotten after an hour', () => {
    const changes = new RecentChanges();
    changes.observe(0.4, 0);
    changes.observe(1, 0);
    changes.observe(1.5, 30 * MINUTE_MS);
    changes.observe(60_000, 59 * MINUTE_MS);

    expect(changes.countsAt(59 * MINUTE_MS)).toEqual([2, 1, ...Array<number>(10).fill(0), 1]);
    expect(changes.countsAt(60 * MINUTE_MS)).toEqual([0, 1, ...Array<number>(10).fill(0), 1]);
    expect(changes.countsAt(180 * MINUTE_MS).every((count) => count === 0)).toBe(true);

    changes.observe(1, 60 * MINUTE_MS);
    expect(changes.countsAt(60 * MINUTE_MS)[0]).toBe(1);
  });
});
