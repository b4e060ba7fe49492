import { FAULTS } from './faults.js';
import { RevocationRun } from './revocations.js';
import type { ScenarioReport } from './run-scenario.js';

export const REVOCATIONS = {
  name: 'revocations',
  about:
    'tokens are revoked and tried on every instance at once, while instances and masters stop, die and lose connections ' +
    'at random',
};

/** What a change may take, and what a busy machine adds. */
const LONGEST_ANSWER_MS = 5000 + 1000;

/** A tenth each are role changes and disabled users; the rest are logouts. */
export async function runRevocations(
  count: number,
  seed: number,
  workers: number,
): Promise<ScenarioReport> {
  const tenth = Math.floor(count / 10);
  const run = await RevocationRun.start({
    revocations: { logout: count - 2 * tenth, 'role change': tenth, 'disabled user': tenth },
    faults: FAULTS,
    seed,
    workers,
  });
  try {
    const report = await run.finish();
    const checks = [...report.checks.values()].reduce((sum, number) => sum + number, 0);
    return {
      ...REVOCATIONS,
      scenario: REVOCATIONS.name,
      seed,
      operations: checks + count,
      done: report.revoked,
      errors: {
        'revocation repeated': report.repeated,
        ...Object.fromEntries(
          [...report.checks].map(([status, number]) => [
            `check ${status || 'without answer'}`,
            number,
          ]),
        ),
      },
      lost: [],
      accepted: report.accepted,
      dishonest: [...report.checks.keys()]
        .filter((status) => ![0, 401, 403, 503].includes(status))
        .map((status) => `a check was answered ${status}`),
      late: report.longestAnswerMs > LONGEST_ANSWER_MS ? ['an answer'] : [],
      longestAnswerMs: Math.round(report.longestAnswerMs),
      recoveryMs: undefined,
      crashed: report.crashed,
    };
  } finally {
    await run.stop();
  }
}
