import { percentile, rotated, summarize, timesOf } from './statistics.js';

describe('the statistics of the benchmarks', () => {
  it('take the middle value of an odd number of rounds, and the mean of the two middle values of an even number', () => {
    expect(summarize([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
    expect(summarize([40, 10, 20, 30]).median).toBe(25);
  });

  it('interpolate percentiles between the nearest values, for values in any order', () => {
    const values = [5, 1, 4, 2, 3];

    expect(percentile(values, 0)).toBe(1);
    expect(percentile(values, 90)).toBeCloseTo(4.6);
    expect(percentile(values, 100)).toBe(5);
    expect(values).toEqual([5, 1, 4, 2, 3]);
  });

  it('throw when there are no values', () => {
    expect(() => summarize([])).toThrow('nothing');
  });

  it('describe single durations', () => {
    const times = Array.from({ length: 101 }, (_, index) => index);

    expect(timesOf(times)).toEqual({ medianMs: 50, p90Ms: 90, p99Ms: 99, maxMs: 100 });
  });

  it('let each subject go first once', () => {
    expect(rotated(['a', 'b', 'c'], 1)).toEqual(['b', 'c', 'a']);
    expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round)[0])).toEqual([
      'a',
      'b',
      'c',
      'a',
    ]);
    expect(rotated([], 2)).toEqual([]);
  });
});
