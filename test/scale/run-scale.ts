import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { userSubject } from '../../src/user-slot/read/index.js';
import { Argon2PasswordHasher } from '../../src/users/index.js';
import {
  directorySizes,
  idleCost,
  logoutLatencies,
  saturation,
  type DirectoryReport,
  type IdleReport,
  type LogoutReport,
  type SaturationReport,
} from './changes.js';
import {
  heapWithFullMemory,
  longRun,
  type HeapReport,
  type LongRunReport,
} from './instance-heap.js';
import { latencyOf, type Latency } from './latency.js';
import { measureListing, type ListingReport } from './listing.js';
import { memoryOf, untilFewerKeys } from './masters.js';
import { Members } from './members.js';
import { Population } from './population.js';
import { startScaleInstance, type ScaleInstance } from './scale-instance.js';

const KEYS_PER_USER = 3;
const OTHER_KEYS = 20;
const EXPIRY_TIMEOUT_MS = 60_000;
/** Fewer than for the latencies, so that renewals do not take a share of the throughput. */
const MEMBERS_FOR_SATURATION = 8;

/** What is measured. Each part has its own cluster. */
export const SCALE_PARTS = ['sessions', 'listing'] as const;
export type ScalePart = (typeof SCALE_PARTS)[number];

export interface ScaleOptions {
  readonly parts: readonly ScalePart[];
  /** Numbers of sessions at which the run pauses for a measurement. */
  readonly steps: readonly number[];
  readonly sessionsPerUser: number;
  /** Numbers of users at which their listing is measured, ascending. */
  readonly listed: readonly number[];
  /** Numbers of instances among which logouts are measured, ascending. */
  readonly members: readonly number[];
  readonly longRunParts: number;
  readonly firstPort: number;
  readonly onProgress: (text: string) => void;
}

export const SCALE_DEFAULTS: ScaleOptions = {
  parts: SCALE_PARTS,
  steps: [10_000, 100_000, 1_000_000],
  sessionsPerUser: 10,
  listed: [1000, 10_000, 100_000],
  members: [2, 8, 32, 64, 128],
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

export interface SessionsReport {
  readonly steps: readonly StepReport[];
  readonly logouts: readonly LogoutReport[];
  readonly idle: readonly IdleReport[];
  readonly directories: readonly DirectoryReport[];
  readonly saturation: readonly SaturationReport[];
  readonly heaps: readonly HeapReport[];
  readonly longRun: LongRunReport;
}

export interface ScaleReport extends Partial<SessionsReport> {
  readonly listing?: readonly ListingReport[];
}

/** Loads separate clusters with users and sessions, using the product's scripts, and measures the cost. */
export async function runScale(options: Partial<ScaleOptions> = {}): Promise<ScaleReport> {
  const chosen = { ...SCALE_DEFAULTS, ...options };
  const { parts, listed, onProgress } = chosen;
  const listing = parts.includes('listing')
    ? await withCluster(chosen, async (cluster) => measureListing(cluster, listed, onProgress))
    : undefined;
  const sessions = parts.includes('sessions')
    ? await withCluster(chosen, async (cluster) => measure(cluster, chosen))
    : undefined;
  return { ...(listing && { listing }), ...sessions };
}

async function withCluster<Result>(
  { firstPort }: ScaleOptions,
  work: (cluster: EmbeddedCluster) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-scale-'));
  const cluster = await EmbeddedCluster.start({
    directory,
    firstPort,
    restartNodes: 'never',
  });
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(cluster: EmbeddedCluster, options: ScaleOptions): Promise<SessionsReport> {
  const { onProgress } = options;
  const instance = await startScaleInstance(cluster);
  const hasher = new Argon2PasswordHasher();
  const hash = await hasher.hash(new Secret('one for all of them'));
  const population = new Population(instance, options.sessionsPerUser, hash);
  const empty = (await memoryOf(cluster)).bytes;
  const steps: StepReport[] = [];
  // Users that have a directory, which lives for an hour.
  const active = new Set<string>();
  for (const sessions of options.steps) {
    steps.push(await step(cluster, instance, population, sessions, empty, active));
    onProgress(JSON.stringify(steps.at(-1)));
  }
  await instance.context.close();
  const heaps: HeapReport[] = [];
  for (const megabytes of [64, 512]) {
    heaps.push(await heapWithFullMemory(cluster, population, megabytes));
    onProgress(JSON.stringify(heaps.at(-1)));
  }
  const run = await longRun(cluster, population, options.longRunParts, 200_000, 500);
  onProgress(JSON.stringify(run));
  // Last, because memory of closed instances stays in use, which would distort the heap.
  const changes = await measureChanges(cluster, options);
  return { steps, ...changes, heaps, longRun: run };
}

async function measureChanges(
  cluster: EmbeddedCluster,
  { members: counts, onProgress }: ScaleOptions,
): Promise<Pick<SessionsReport, 'logouts' | 'idle' | 'directories' | 'saturation'>> {
  const few = new Members(cluster);
  await few.growTo(Math.min(MEMBERS_FOR_SATURATION, Math.max(...counts)));
  const directories = await directorySizes(few);
  onProgress(JSON.stringify(directories));
  const saturated = await saturation(cluster, few, onProgress);
  await few.close();
  const members = new Members(cluster);
  const [logouts, idle]: [LogoutReport[], IdleReport[]] = [[], []];
  for (const count of counts) {
    await members.growTo(count);
    logouts.push(...(await logoutLatencies(members, onProgress)));
    idle.push(await idleCost(cluster, members));
    onProgress(JSON.stringify(idle.at(-1)));
  }
  await members.close();
  return { logouts, idle, directories, saturation: saturated };
}

async function step(
  cluster: EmbeddedCluster,
  instance: ScaleInstance,
  population: Population,
  sessions: number,
  empty: number,
  active: Set<string>,
): Promise<StepReport> {
  const begin = performance.now();
  const before = population.sessions + 4 * population.users;
  await population.growTo(sessions);
  const seconds = (performance.now() - begin) / 1000;
  const writes = population.sessions + 4 * population.users - before;
  const most = KEYS_PER_USER * population.users + active.size + OTHER_KEYS;
  const { bytes } = await untilFewerKeys(cluster, most, EXPIRY_TIMEOUT_MS);
  const coldLookUp = await latencyOf(500, 3, (_, number) => {
    const session = population.pick(number);
    active.add(session.userId);
    return lookUp(instance, session, `token ${number}`);
  });
  const revocation = await latencyOf(200, 3, (_, number) => {
    const { userId, sessionId } = population.pick(-sessions - number);
    active.add(userId);
    return instance.sessions.end(userId, sessionId, Origin.system, Deadline.none);
  });
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

/** Asks Redis and registers the instance, as a look-up does that memory cannot answer. */
async function lookUp(
  { sessionReader, cache }: ScaleInstance,
  session: { readonly userId: string; readonly sessionId: string },
  token: string,
): Promise<void> {
  await sessionReader.use({ token, ...session }, true, Deadline.none, async (call, deadline) =>
    cache.readAsHolder(userSubject(session.userId), call, deadline),
  );
}
