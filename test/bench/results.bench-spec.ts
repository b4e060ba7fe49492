import { rowsOf, withRatios } from './results.js';
import { tableOf } from './table.js';

describe('the results of the benchmarks', () => {
  const rounds = [
    { base: { requestsPerSecond: 1000 }, keyslot: { requestsPerSecond: 800, p99Ms: 2 } },
    { base: { requestsPerSecond: 100 }, keyslot: { requestsPerSecond: 90, p99Ms: 4 } },
    { base: { requestsPerSecond: 500 }, keyslot: { requestsPerSecond: 300, p99Ms: 3 } },
  ].map((round) => withRatios(round, 'base', 'keyslot'));
  const rows = rowsOf(rounds);
  const result = { name: 'any', about: '', rows };

  it('compare within a round, and then take the median of the ratios', () => {
    const [base, keyslot] = rows;

    // The ratio of the medians would be 0.6.
    expect(keyslot?.measures.ratio).toEqual({
      median: 0.8,
      min: 0.6,
      max: 0.9,
      rounds: [0.8, 0.9, 0.6],
    });
    expect(base?.measures.lead?.median).toBe(0.8);
  });

  it('omit measures without a value', () => {
    expect(rows[0]?.measures.p99Ms).toBeUndefined();
    expect(tableOf(result)).not.toContain('hit rate');
  });

  it('start with the CPU time where a scenario measures it, and continue with the throughput', () => {
    const measured = { requestsPerSecond: 1000, bodyBytes: 9, cpuMicros: 50 };
    const [header, , row] = tableOf({ ...result, rows: rowsOf([{ base: measured }]) }).split('\n');

    expect(header).toMatch(/^\| +\| CPU µs\/request \| requests\/s \| body bytes \|$/);
    expect(row).toMatch(/^\| `base` \| +50 \| +1,000 \| +9 \|$/);
  });

  it('are listed in a table with their spread', () => {
    const lines = tableOf(result).split('\n');

    expect(lines[0]).toMatch(/\| +requests\/s \| +ratio \| +Keyslot \/ this \| +p99 ms \|/);
    expect(lines[3]).toMatch(
      /^\| `keyslot` \| +300 \(90 to 800\) \| 0\.80 \(0\.60 to 0\.90\) \| .* \| 3\.00 \(2\.00 to 4\.00\) \|$/,
    );
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });
});
