import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { Argon2PasswordHasher } from '../../src/users/index.js';
import { memoryOf, untilFewerKeys } from './cluster-memory.js';
import {
  heapWithFullMemory,
  longRun,
  type HeapReport,
  type LongRunReport,
} from './instance-heap.js';
import { latencyOf, type Latency } from './latency.js';
import { Population } from './population.js';
import { startScaleInstance, type ScaleInstance } from './scale-instance.js';

const KEYS_PER_USER = 3;
const OTHER_KEYS = 20;
const EXPIRY_TIMEOUT_MS = 60_000;

export interface ScaleOptions {
  /** Numbers of sessions at which the run pauses for a measurement. */
  readonly steps: readonly number[];
  readonly sessionsPerUser: number;
  /** Numbers of instances that acknowledge a change. */
  readonly instances: readonly number[];
  readonly longRunParts: number;
  readonly firstPort: number;
  readonly onProgress: (text: string) => void;
}

export const SCALE_DEFAULTS: ScaleOptions = {
  steps: [10_000, 100_000, 1_000_000],
  sessionsPerUser: 10,
  instances: [1, 2, 4, 8],
  longRunParts: 10,
  firstPort: 15_000,
  onProgress: () => undefined,
};

export interface StepReport {
  readonly sessions: number;
  readonly users: number;
  /** Confirmed writes per second: sessions, and the four steps of each registration. */
  readonly writesPerSecond: number;
  /** Memory of all masters, minus that of an empty cluster. */
  readonly bytesPerSession: number;
  readonly bytesPerUser: number;
  readonly coldLookUp: Latency;
  readonly revocation: Latency;
}

export interface ScaleReport {
  readonly steps: readonly StepReport[];
  readonly acknowledgements: readonly {
    readonly instances: number;
    readonly revocation: Latency;
  }[];
  readonly heaps: readonly HeapReport[];
  readonly longRun: LongRunReport;
}

/** Loads a separate cluster with users and sessions, using the product's scripts, and measures the cost. */
export async function runScale(options: Partial<ScaleOptions> = {}): Promise<ScaleReport> {
  const chosen = { ...SCALE_DEFAULTS, ...options };
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-scale-'));
  const cluster = await EmbeddedCluster.start({
    directory,
    firstPort: chosen.firstPort,
    restartNodes: 'never',
  });
  try {
    return await measure(cluster, chosen);
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(cluster: EmbeddedCluster, options: ScaleOptions): Promise<ScaleReport> {
  const { onProgress } = options;
  const instance = await startScaleInstance(cluster);
  const hasher = new Argon2PasswordHasher();
  const hash = await hasher.hash(new Secret('one for all of them'));
  const population = new Population(instance, options.sessionsPerUser, hash);
  const empty = (await memoryOf(cluster)).bytes;
  const steps: StepReport[] = [];
  for (const sessions of options.steps) {
    steps.push(await step(cluster, instance, population, sessions, empty));
    onProgress(JSON.stringify(steps.at(-1)));
  }
  const acknowledgements = [];
  const others: ScaleInstance[] = [];
  for (const count of options.instances) {
    while (others.length + 1 < count) {
      others.push(await startScaleInstance(cluster));
    }
    const revocation = await latencyOf(100, 3, (number) =>
      revoke(instance, population, -1_000_000 * count - number),
    );
    acknowledgements.push({ instances: count, revocation });
    onProgress(JSON.stringify(acknowledgements.at(-1)));
  }
  await Promise.all(others.map(({ context }) => context.close()));
  await instance.context.close();
  const heaps: HeapReport[] = [];
  for (const megabytes of [64, 512]) {
    heaps.push(await heapWithFullMemory(cluster, population, megabytes));
    onProgress(JSON.stringify(heaps.at(-1)));
  }
  const run = await longRun(cluster, population, options.longRunParts, 200_000, 500);
  onProgress(JSON.stringify(run));
  return { steps, acknowledgements, heaps, longRun: run };
}

async function step(
  cluster: EmbeddedCluster,
  instance: ScaleInstance,
  population: Population,
  sessions: number,
  empty: number,
): Promise<StepReport> {
  const begin = performance.now();
  const before = population.sessions + 4 * population.users;
  await population.growTo(sessions);
  const seconds = (performance.now() - begin) / 1000;
  const writes = population.sessions + 4 * population.users - before;
  const most = KEYS_PER_USER * population.users + OTHER_KEYS;
  const { bytes } = await untilFewerKeys(cluster, most, EXPIRY_TIMEOUT_MS);
  const coldLookUp = await latencyOf(500, 3, (number) => lookUp(instance, population, number));
  const revocation = await latencyOf(200, 3, (number) =>
    revoke(instance, population, -sessions - number),
  );
  return {
    sessions,
    users: population.users,
    writesPerSecond: Math.round(writes / seconds),
    bytesPerSession: Math.round((bytes - empty) / sessions),
    bytesPerUser: Math.round((bytes - empty) / population.users),
    coldLookUp,
    revocation,
  };
}

async function lookUp(
  { sessionReader }: ScaleInstance,
  population: Population,
  number: number,
): Promise<void> {
  const presented = { token: `token ${number}`, ...population.pick(number) };
  await sessionReader.use(presented, true, Deadline.none);
}

async function revoke(
  { sessions }: ScaleInstance,
  population: Population,
  number: number,
): Promise<void> {
  const { userId, sessionId } = population.pick(number);
  await sessions.end(userId, sessionId, Origin.system, Deadline.none);
}
