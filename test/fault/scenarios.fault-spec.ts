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
});
