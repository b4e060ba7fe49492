import { isAnswered, KINDS, type History } from './history.js';
import { recoveriesOf, violationsOf, type Violations } from './promises.js';
import type { Scenario } from './scenarios.js';
import { World } from './world.js';

/** Before the first fault, and after the last. */
const CALM_MS = 2000;

/** What became of one scenario. Times are in milliseconds. */
export interface ScenarioReport extends Violations {
  readonly scenario: string;
  readonly about: string;
  readonly seed: number;
  readonly operations: number;
  /** How often each kind of request was answered as it should be. */
  readonly done: Record<string, number>;
  /** Everything else, by status and code. */
  readonly errors: Record<string, number>;
  readonly longestAnswerMs: number;
  /** The longest time for which clients were turned away after a fault. */
  readonly recoveryMs: number | undefined;
  /** Instances that ended by themselves or logged an error of their own; why the scenario broke off. */
  readonly crashed: readonly string[];
  /** All that happened, for who wants to look closer. */
  readonly history?: History | undefined;
}

export const violationCount = ({
  lost,
  accepted,
  dishonest,
  late,
  crashed,
}: ScenarioReport): number =>
  [lost, accepted, dishonest, late, crashed].reduce((sum, list) => sum + list.length, 0);

/** Breaks what the scenario breaks, under load, and checks the promises against what the clients saw. */
export async function runScenario(
  scenario: Scenario,
  { seed, workers }: { readonly seed: number; readonly workers: number },
): Promise<ScenarioReport> {
  const world = await World.start({ ...scenario.options, seed });
  const crashed: string[] = [];
  // What does not heal in time is a finding as well, and takes nothing from what was seen until then.
  const attempt = async (work: Promise<void>): Promise<void> =>
    work.catch(({ message }: Error) => void crashed.push(message));
  await attempt(play(scenario, world, workers));
  crashed.push(...world.crashed);
  await attempt(world.stop());
  return reportOf(scenario, seed, world.history, crashed);
}

async function play(scenario: Scenario, world: World, workers: number): Promise<void> {
  world.startLoad(workers);
  await world.goOn(CALM_MS);
  await scenario.run(world);
  await world.untilHealthy();
  await world.goOn(CALM_MS);
  await world.finishLoad();
}

function reportOf(
  scenario: Scenario,
  seed: number,
  history: History,
  crashed: readonly string[],
): ScenarioReport {
  const { operations, disturbances } = history;
  const done = countBy(operations.filter(isAnswered), ({ kind }) => kind);
  const recoveries = recoveriesOf(history, scenario.recoversFrom);
  const undisturbed = operations.filter(
    ({ instance, begin, end }) =>
      !disturbances.some((one) => one.instance === instance && begin < one.end && end > one.begin),
  );
  return {
    scenario: scenario.name,
    about: scenario.about,
    seed,
    operations: operations.length,
    done,
    errors: countBy(
      operations.filter((one) => !isAnswered(one)),
      ({ status, code }) => (status === 0 ? 'no answer' : `${status} ${code ?? ''}`),
    ),
    longestAnswerMs: Math.round(
      undisturbed.reduce((longest, { begin, end }) => Math.max(longest, end - begin), 0),
    ),
    recoveryMs: recoveries.length === 0 ? undefined : Math.round(Math.max(...recoveries)),
    crashed: [
      ...crashed,
      ...KINDS.filter((kind) => !done[kind]).map((kind) => `no ${kind} succeeded`),
    ],
    history,
    ...violationsOf(history),
  };
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const key = keyOf(item);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
