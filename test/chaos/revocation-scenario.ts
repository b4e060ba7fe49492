import { FAULTS } from './faults.js';
import { RevocationRun } from './revocations.js';
import { OwnDelay } from './own-delay.js';
import type { ScenarioReport } from './run-scenario.js';

export const REVOCATIONS = {
  name: 'revocations',
  about:
    'tokens are revoked and tried on every instance and in two services with the guard at once, while instances, services and ' +
    'masters stop, die and lose connections at random',
};

/** The maximum duration of a change, plus a margin for a loaded machine. */
const MAX_RESPONSE_MS = 5000 + 1000;

/** One tenth are role changes, one tenth disabled users; the rest are logouts. */
export async function runRevocations(
  count: number,
  seed: number,
  workers: number,
): Promise<ScenarioReport> {
  const begin = performance.now();
  const delay = new OwnDelay();
  const tenth = Math.floor(count / 10);
  const run = await RevocationRun.start({
    revocations: { logout: count - 2 * tenth, 'role change': tenth, 'disabled user': tenth },
    faults: FAULTS,
    seed,
    workers,
  });
  try {
    const report = await run.finish();
    const delayMs = delay.stop();
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
      lostWithOneCopy: [],
      accepted: report.accepted,
      dishonest: report.dishonest,
      late: report.longestAnswerMs > MAX_RESPONSE_MS + delayMs ? ['an answer'] : [],
      unavailable: [],
      slow: [],
      longestAnswerMs: Math.round(report.longestAnswerMs),
      recoveryMs: undefined,
      longestRecoveryMs: undefined,
      delayMs,
      tookMs: Math.round(performance.now() - begin),
      crashed: report.crashed,
      untried: FAULTS.filter((fault) => report.faults.get(fault) === 0).map(
        (fault) => `${fault}: never done`,
      ),
      notes: [
        `Faults: ${[...report.faults].map(([fault, count]) => `${fault} ${count}`).join(', ')}.`,
      ],
    };
  } finally {
    await run.stop();
  }
}
