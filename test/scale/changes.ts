import { setTimeout as delay } from 'node:timers/promises';

import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { latencyOf, type Latency } from './latency.js';
import { usageOf } from './masters.js';
import type { Members } from './members.js';

const LOGOUTS_PER_ROUND = 100;
const ROUNDS = 3;
const OTHER_HOLDERS = [0, 1, 3] as const;
const DIRECTORY_HOLDERS = [1, 2, 4] as const;
const IDLE_MS = 4000;
const CALLERS = 128;
const CHANGES = 3000;
/** Concurrent preparations. More would exceed the timeout on a loaded machine. */
const PREPARED_AT_ONCE = 300;

/** The calls of a logout. The members make other calls in the background. */
const CALLS_OF_A_CHANGE = /^(?:end-session|post|post-again|close-inbox|finish-changes|spublish)/;
const RENEWAL = /^renew-inbox/;

export interface LogoutReport {
  readonly members: number;
  /** How many members hold the session, besides the one that ends it. */
  readonly otherHolders: number;
  readonly logout: Latency;
  /** Scripts and commands sent to Redis for each logout. */
  readonly callsPerLogout: Readonly<Record<string, number>>;
}

export interface IdleReport {
  readonly members: number;
  readonly inboxBytes: number;
  readonly renewalsPerMemberAndSecond: number;
  /** Bytes between the members and the masters, and processor time of the masters. */
  readonly bytesPerSecond: number;
  readonly mastersCpuMsPerSecond: number;
}

export interface SaturationReport {
  readonly shards: 'one' | 'all';
  readonly otherHolders: number;
  readonly changesPerSecond: number;
  /** Of the master with the highest processor time. */
  readonly busiestMasterCpuMsPerChange: number;
  readonly mastersCpuMsPerChange: number;
  readonly thisProcessCpuMsPerChange: number;
}

export interface DirectoryReport {
  readonly holders: number;
  readonly bytes: number;
  /** With the note of the change, which stays for a minute, and without holders. */
  readonly bytesAfterLogout: number;
}

/** Measures logouts one after the other, by the number of holders. */
export async function logoutLatencies(
  members: Members,
  onProgress: (text: string) => void,
): Promise<LogoutReport[]> {
  const reports: LogoutReport[] = [];
  for (const otherHolders of OTHER_HOLDERS.filter((others) => others < members.count)) {
    const before = members.calls();
    const logout = await latencyOf(
      LOGOUTS_PER_ROUND,
      ROUNDS,
      (session) => members.logOut(session),
      () => members.logInHeldBy(otherHolders),
    );
    const callsPerLogout = Object.fromEntries(
      [...members.calls()]
        .filter(([call]) => CALLS_OF_A_CHANGE.test(call))
        .map(([call, count]) => [
          call,
          (count - (before.get(call) ?? 0)) / (ROUNDS * LOGOUTS_PER_ROUND),
        ]),
    );
    reports.push({ members: members.count, otherHolders, logout, callsPerLogout });
    onProgress(JSON.stringify(reports.at(-1)));
  }
  return reports;
}

/** Measures what members cost that do nothing but renew their leases. */
export async function idleCost(cluster: EmbeddedCluster, members: Members): Promise<IdleReport> {
  const begin = performance.now();
  const [usageBefore, callsBefore] = [await usageOf(cluster), members.calls()];
  await delay(IDLE_MS);
  const [usage, calls] = [await usageOf(cluster), members.calls()];
  const seconds = (performance.now() - begin) / 1000;
  const renewals = (of: ReadonlyMap<string, number>): number =>
    sum([...of].filter(([call]) => RENEWAL.test(call)).map(([, count]) => count));
  return {
    members: members.count,
    inboxBytes: Math.max(...(await members.inboxBytes())),
    renewalsPerMemberAndSecond: (renewals(calls) - renewals(callsBefore)) / members.count / seconds,
    bytesPerSecond: (usage.networkBytes - usageBefore.networkBytes) / seconds,
    mastersCpuMsPerSecond: sum(difference(usage.cpuMs, usageBefore.cpuMs)) / seconds,
  };
}

/** Measures many concurrent logouts of users on one shard, and on all shards. */
export async function saturation(
  cluster: EmbeddedCluster,
  members: Members,
  onProgress: (text: string) => void,
): Promise<SaturationReport[]> {
  const masters = [...(await usageOf(cluster)).cpuMs.keys()];
  const reports: SaturationReport[] = [];
  for (const shards of ['one', 'all'] as const) {
    for (const otherHolders of OTHER_HOLDERS.filter((others) => others < members.count)) {
      const sessions = await collect(CHANGES, PREPARED_AT_ONCE, async (index) => {
        const master = masters[shards === 'one' ? 0 : index % masters.length]!;
        return members.logInHeldBy(otherHolders, members.newUserOn(master));
      });
      const before = await usageOf(cluster);
      const cpuBefore = process.cpuUsage();
      const begin = performance.now();
      await collect(CHANGES, CALLERS, async (index) => members.logOut(sessions[index]!));
      const seconds = (performance.now() - begin) / 1000;
      const { user, system } = process.cpuUsage(cpuBefore);
      const cpuMs = difference((await usageOf(cluster)).cpuMs, before.cpuMs);
      reports.push({
        shards,
        otherHolders,
        changesPerSecond: CHANGES / seconds,
        busiestMasterCpuMsPerChange: Math.max(...cpuMs) / CHANGES,
        mastersCpuMsPerChange: sum(cpuMs) / CHANGES,
        thisProcessCpuMsPerChange: (user + system) / 1000 / CHANGES,
      });
      onProgress(JSON.stringify(reports.at(-1)));
    }
  }
  return reports;
}

/** Measures the directory of a user, by the number of its holders. */
export async function directorySizes(members: Members): Promise<DirectoryReport[]> {
  const reports: DirectoryReport[] = [];
  for (const holders of DIRECTORY_HOLDERS.filter((count) => count <= members.count)) {
    const session = await members.logInHeldBy(holders - 1);
    const bytes = await members.directoryBytes(session.userId);
    await members.logOut(session);
    const bytesAfterLogout = await members.directoryBytes(session.userId);
    reports.push({ holders, bytes, bytesAfterLogout });
  }
  return reports;
}

/** Works on this many items at a time. */
async function collect<Item>(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<Item>,
): Promise<Item[]> {
  const items: Item[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      items[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return items;
}

function difference(
  after: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): number[] {
  return Array.from(after, ([master, value]) => value - (before.get(master) ?? 0));
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
