import { availableParallelism, loadavg } from 'node:os';

import { eventually } from '../support/own-cluster.js';
import { isAnswered, KINDS, type History } from './history.js';
import { recoveriesOf } from './availability.js';
import { OwnDelay } from './own-delay.js';
import { violationsOf, type Findings } from './promises.js';
import type { Scenario } from './scenario.js';
import { World } from './world.js';

/** The time without faults before the first and after the last. */
const CALM_MS = 2000;
const MIN_OPERATIONS_PER_KIND = 3;
const MIN_OPERATIONS_TIMEOUT_MS = 30_000;
/** Runnable processes per core. */
const BUSY_LOAD = 2;

/** The result of one scenario. Times are in milliseconds. */
export interface ScenarioReport extends Findings {
  readonly scenario: string;
  readonly about: string;
  readonly seed: number;
  readonly operations: number;
  /** Number of correct responses to each kind of request. */
  readonly done: Record<string, number>;
  /** Numbers of all other responses, by status and code. */
  readonly errors: Record<string, number>;
  readonly longestAnswerMs: number;
  /** The maximum time of refused requests after a fault, and the documented maximum. */
  readonly recoveryMs: number | undefined;
  readonly longestRecoveryMs: number | undefined;
  /** The maximum delay of the suite's own process. */
  readonly delayMs: number;
  readonly tookMs: number;
  /** Instances that exited unexpectedly or logged an internal error; why the scenario was aborted. */
  readonly crashed: readonly string[];
  /** Operations with too few samples for a conclusion. */
  readonly untried: readonly string[];
  readonly notes: readonly string[];
  /** The complete history, for analysis. */
  readonly history?: History | undefined;
}

/** All violations, by kind. */
export function violationsIn(report: ScenarioReport): [kind: string, what: string][] {
  const { lost, accepted, dishonest, late, unavailable, slow, crashed } = report;
  return Object.entries({ lost, accepted, dishonest, late, unavailable, slow, crashed }).flatMap(
    ([kind, list]) => list.map((what): [string, string] => [kind, what]),
  );
}

interface RunOptions {
  readonly seed: number;
  readonly workers: number;
  readonly lostSeconds: number;
}

/** Injects the faults of the scenario under load, and checks the promises against the responses. */
export async function runScenario(
  scenario: Scenario,
  { seed, workers, lostSeconds }: RunOptions,
): Promise<ScenarioReport> {
  const begin = performance.now();
  const world = await World.start({ ...scenario.options, seed, lostMs: 1000 * lostSeconds });
  const delay = new OwnDelay();
  const crashed: string[] = [];
  // A recovery that takes too long is a violation as well. The earlier results are kept.
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
  await world.runFor(CALM_MS);
  await untilDone(world, 1);
  world.history.warmFrom = world.history.now();
  await scenario.run(world);
  await world.untilHealthy();
  await world.runFor(CALM_MS);
  await untilDone(world, MIN_OPERATIONS_PER_KIND);
  await world.finishLoad();
}

/** Waits until each kind of request has succeeded this often (a loaded machine needs longer), or until a timeout. */
async function untilDone({ history }: World, times: number): Promise<void> {
  await eventually('everything was tried', MIN_OPERATIONS_TIMEOUT_MS, async () =>
    Promise.resolve(undersampledIn(history, times).length === 0),
  ).catch(() => undefined);
}

/** Adds notes about other causes of late responses. */
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
    untried: [...history.untried, ...undersampledIn(history)],
    notes: history.notes,
    history,
    ...violationsOf(history, scenario, delayMs),
  };
}

/** Describes the operations with too few samples. */
function undersampledIn({ operations }: History, minimum = MIN_OPERATIONS_PER_KIND): string[] {
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
