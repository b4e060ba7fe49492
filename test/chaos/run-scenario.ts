import { availableParallelism, loadavg } from 'node:os';

import { eventually } from '../support/own-cluster.js';
import { isAnswered, KINDS, type History } from './history.js';
import { recoveriesOf } from './availability.js';
import { OwnDelay } from './own-delay.js';
import { violationsOf, type Violations } from './promises.js';
import type { Scenario } from './scenario.js';
import { World } from './world.js';

/** Before the first fault, and after the last. */
const CALM_MS = 2000;
const MIN_OPERATIONS_PER_KIND = 3;
const TRIED_MS = 30_000;
/** Processes that want to run, for each core. */
const BUSY_LOAD = 2;

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
  /** The longest time for which clients were turned away after a fault, and the longest that is documented. */
  readonly recoveryMs: number | undefined;
  readonly longestRecoveryMs: number | undefined;
  /** How late the suite's own process was at most. */
  readonly delayMs: number;
  readonly tookMs: number;
  /** Instances that ended by themselves or logged an error of their own; why the scenario broke off. */
  readonly crashed: readonly string[];
  /** What was not done often enough to say that it works. */
  readonly untried: readonly string[];
  readonly notes: readonly string[];
  /** All that happened, for who wants to look closer. */
  readonly history?: History | undefined;
}

/** All that was broken, by its kind. */
export function violationsIn(report: ScenarioReport): [kind: string, what: string][] {
  const { lost, accepted, dishonest, late, unavailable, slow, crashed } = report;
  return Object.entries({ lost, accepted, dishonest, late, unavailable, slow, crashed }).flatMap(
    ([kind, list]) => list.map((what): [string, string] => [kind, what]),
  );
}

/** Breaks what the scenario breaks, under load, and checks the promises against what the clients saw. */
export async function runScenario(
  scenario: Scenario,
  { seed, workers }: { readonly seed: number; readonly workers: number },
): Promise<ScenarioReport> {
  const begin = performance.now();
  const world = await World.start({ ...scenario.options, seed });
  const delay = new OwnDelay();
  const crashed: string[] = [];
  // What does not heal in time is a finding as well, and takes nothing from what was seen until then.
  const attempt = async (work: Promise<void>): Promise<void> =>
    work.catch(({ message }: Error) => void crashed.push(message));
  await attempt(play(scenario, world, workers));
  crashed.push(...world.crashed);
  const delayMs = delay.stop();
  noteLoad(world.history);
  await attempt(world.stop());
  const tookMs = Math.round(performance.now() - begin);
  return { ...reportOf(scenario, world.history, delayMs), seed, crashed, tookMs };
}

async function play(scenario: Scenario, world: World, workers: number): Promise<void> {
  world.startLoad(workers);
  await world.goOn(CALM_MS);
  await untilDone(world, 1);
  world.history.warmFrom = world.history.now();
  await scenario.run(world);
  await world.untilHealthy();
  await world.goOn(CALM_MS);
  await untilDone(world, MIN_OPERATIONS_PER_KIND);
  await world.finishLoad();
}

/** Until each kind of request has succeeded so many times: a busy machine needs longer for it. Or until time is up. */
async function untilDone({ history }: World, times: number): Promise<void> {
  await eventually('everything was tried', TRIED_MS, async () =>
    Promise.resolve(seldomDone(history, times).length === 0),
  ).catch(() => undefined);
}

/** So that a reader does not look for the reason of late answers in the wrong place. */
function noteLoad({ notes }: History): void {
  const perCore = loadavg()[0]! / availableParallelism();
  if (perCore > BUSY_LOAD) {
    notes.push(`The machine had ${perCore.toFixed(1)} times more to do than it can`);
  }
}

function reportOf(
  scenario: Scenario,
  history: History,
  delayMs: number,
): Omit<ScenarioReport, 'seed' | 'crashed' | 'tookMs'> {
  const { operations } = history;
  const done = countBy(operations.filter(isAnswered), ({ kind }) => kind);
  const recoveries = recoveriesOf(history, scenario.recovery.from);
  const undisturbed = operations.filter((one) => !history.isDisturbed(one));
  return {
    scenario: scenario.name,
    about: scenario.about,
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
    longestRecoveryMs: recoveries.length === 0 ? undefined : scenario.recovery.withinMs,
    delayMs,
    untried: [...history.untried, ...seldomDone(history)],
    notes: history.notes,
    history,
    ...violationsOf(history, scenario, delayMs),
  };
}

/** In words. */
function seldomDone({ operations }: History, minimum = MIN_OPERATIONS_PER_KIND): string[] {
  const done = countBy(operations.filter(isAnswered), ({ kind }) => kind);
  return KINDS.filter((kind) => (done[kind] ?? 0) < minimum).map(
    (kind) => `${kind} succeeded ${done[kind] ?? 0} times; the minimum is ${minimum}`,
  );
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const key = keyOf(item);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
