import { setTimeout as delay } from 'node:timers/promises';

import { lineOf } from '../chaos/report.js';
import { runScenario, violationsIn } from '../chaos/run-scenario.js';
import { SCENARIOS } from '../chaos/scenarios.js';

/** One of the scenarios, with few clients. For all of them, and longer runs: npm run chaos. */
const SHORT = ['masters-killed'];
const OPTIONS = { seed: 1, workers: 4, lostSeconds: 30 };
const MIN_OPERATIONS = 50;
/** Other test files run at the same time, and nodes start and elect more slowly. */
const SLOWDOWN = 2;

describe('under load, during faults', () => {
  const scenarios = SCENARIOS.filter(({ name }) => SHORT.includes(name));

  it.each(scenarios.map((scenario) => [scenario.about, scenario] as const))(
    'no acknowledged change is lost, no ended session is accepted, every response is honest and in time: %s',
    async (_, scenario) => {
      const { from, withinMs } = scenario.recovery;
      const recovery = { from, withinMs: SLOWDOWN * withinMs };
      const report = await runScenario({ ...scenario, recovery }, OPTIONS);
      process.stderr.write(lineOf(report));

      expect(violationsIn(report)).toEqual([]);
      expect(report.untried).toEqual([]);
      expect(report.operations).toBeGreaterThan(MIN_OPERATIONS);
    },
    180_000,
  );

  it('a scenario that fails in the middle of a fault is reported with its history, and its clients end', async () => {
    const report = await runScenario(
      {
        name: 'breaks-off',
        about: 'an instance stands still, and nobody wakes it',
        recovery: { from: 'end', withinMs: 3000 },
        run: async (world) => {
          world.instances[0]!.pause();
          await world.runFor(500);
          throw new Error('it did not heal');
        },
      },
      OPTIONS,
    );
    const { operations } = report.history!;
    const seen = operations.length;
    await delay(500);

    expect(report).toMatchObject({
      about: 'an instance stands still, and nobody wakes it',
      crashed: ['it did not heal'],
    });
    expect(seen).toBeGreaterThan(0);
    expect(operations).toHaveLength(seen);
  }, 120_000);
});
