import type { RevocationReport } from './revocations.js';

/** The summary in words. */
export function summaryOf(report: RevocationReport): string {
  const at = (part: number): string => {
    const { durationsMs } = report;
    return (durationsMs[Math.floor(part * (durationsMs.length - 1))] ?? 0).toFixed(1);
  };
  const list = (counts: Iterable<readonly [unknown, number]>): string =>
    [...counts].map(([name, count]) => `${String(name)} ${count}`).join(', ');
  return [
    '',
    `revocations      ${list(Object.entries(report.revoked))}; repeated ${report.repeated}, waited for a lease ${report.leaseWaits}`,
    `faults           ${list(report.faults)}`,
    `checks by status ${list(report.checks)}`,
    `accepted         ${report.accepted.length}`,
    `milliseconds     median ${at(0.5)}, p99 ${at(0.99)}, slowest ${at(1)}; longest answer ${report.longestAnswerMs.toFixed(0)}`,
    '',
  ].join('\n');
}
