import { setTimeout as delay } from 'node:timers/promises';

import { lineOf } from '../chaos/report.js';
import { runScenario } from '../chaos/run-scenario.js';
import { SCENARIOS } from '../chaos/scenarios.js';

/** Some of the scenarios, with few clients. All of them, and longer: npm run chaos. */
const SHORT = [
  'masters-killed',
  'replica-left-behind',
  'slots-moved',
  'connections-cut',
  'memory-full',
];
const FEWEST_OPERATIONS = 50;

describe('under load, and whatever breaks', () => {
  const scenarios = SCENARIOS.filter(({ name }) => SHORT.includes(name));

  it.each(scenarios.map((scenario) => [scenario.about, scenario] as const))(
    'nothing acknowledged is lost, no ended session is accepted, every answer is honest and in time: %s',
    async (_, scenario) => {
      const report = await runScenario(scenario, { seed: 1, workers: 4 });
      process.stderr.write(lineOf(report));

      const { lost, accepted, dishonest, late, crashed } = report;
      expect({ lost, accepted, dishonest, late, crashed }).toEqual({
        lost: [],
        accepted: [],
        dishonest: [],
        late: [],
        crashed: [],
      });
      expect(report.operations).toBeGreaterThan(FEWEST_OPERATIONS);
    },
    180_000,
  );

  it('a scenario that breaks off in the middle of a fault is told with all that was seen, and its clients end', async () => {
    const report = await runScenario(
      {
        name: 'breaks-off',
        about: 'an instance stands still, and nobody wakes it',
        recoversFrom: 'end',
        run: async (world) => {
          world.instances[0]!.pause();
          await world.goOn(500);
          throw new Error('it did not heal');
        },
      },
      { seed: 1, workers: 4 },
    );
    const { operations } = report.history!;
    const seen = operations.length;
    await delay(500);

    expect(report).toMatchObject({
      about: 'an instance stands still, and nobody wakes it',
      crashed: expect.arrayContaining(['it did not heal']),
    });
    expect(seen).toBeGreaterThan(0);
    expect(operations).toHaveLength(seen);
  }, 120_000);
});
