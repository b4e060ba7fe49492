import { FAULTS } from '../chaos/faults.js';
import { RevocationRun, type RevocationReport } from '../chaos/revocations.js';
import { summaryOf } from '../chaos/summary.js';

/** Three budgets for Redis, and the longest wait for a lease: docs/coherence.md. */
const MAX_RESPONSE_MS = 7000;

/** Promise 1 of the fault tests. For a longer run: npm run chaos. */
describe('a revocation that was answered with success', () => {
  let run: RevocationRun | undefined;
  afterEach(async () => {
    await run?.stop();
    run = undefined;
  });

  const finish = async (
    options: Partial<Parameters<typeof RevocationRun.start>[0]>,
  ): Promise<RevocationReport> => {
    run = await RevocationRun.start({
      revocations: { logout: 0, 'role change': 0, 'disabled user': 0 },
      faults: [],
      seed: 1,
      workers: 8,
      ...options,
    });
    const report = await run.finish();
    process.stderr.write(summaryOf(report));
    return report;
  };

  it('takes effect on every instance and in every service at once, and waits for no lease while all of them run', async () => {
    const report = await finish({
      revocations: { logout: 30, 'role change': 10, 'disabled user': 10 },
    });

    expect(report.accepted).toEqual([]);
    expect(report.dishonest).toEqual([]);
    expect(report.repeated).toBe(0);
    expect(report.leaseWaits).toBe(0);
    // Each token was checked on three instances and in two services.
    const checks = [...report.checks.values()].reduce((sum, count) => sum + count, 0);
    expect(checks).toBeGreaterThanOrEqual(5 * 50);
    expect([...report.checks.keys()].sort()).toEqual([401, 403]);
  });

  it('stays in effect through pauses, crashes, lost channels and a lost master', async () => {
    const report = await finish({
      revocations: { logout: 150, 'role change': 25, 'disabled user': 25 },
      faults: FAULTS,
    });

    expect(report.accepted).toEqual([]);
    expect(report.dishonest).toEqual([]);
    expect(report.revoked).toEqual({ logout: 150, 'role change': 25, 'disabled user': 25 });
    for (const fault of FAULTS) {
      expect({ fault, times: report.faults.get(fault) }).not.toEqual({ fault, times: 0 });
    }
    // Most responses came from a guard; few were a lost connection or a 503.
    const refused = (report.checks.get(401) ?? 0) + (report.checks.get(403) ?? 0);
    const checks = [...report.checks.values()].reduce((sum, count) => sum + count, 0);
    expect(refused / checks).toBeGreaterThan(0.5);
    expect(report.longestAnswerMs).toBeLessThan(MAX_RESPONSE_MS);
  }, 300_000);
});
