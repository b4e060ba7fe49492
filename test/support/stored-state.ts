import type { Cluster } from 'ioredis';

import { connectRedis, dumpFrom } from './redis.js';

/** What changes on its own, or is meant to change although a request is refused. */
const IGNORED_KEYS = [
  // The counters of the throttle: to count refused requests is what they are for.
  /:\{(?:password-account|login-address|refresh-address|registration-address)\.[\w-]+\}:(?:failed|under-way|guesses)$/,
  // Leases are renewed all the time, and a change may be announced before it turns out that there is nothing to change.
  /:\{near-cache\.control\}:/,
  // They hold nothing; every decision writes one, so that a replica can confirm the decision.
  /:\{(?:user\.[\w-]+|administrators\.registry|keys\.signing)\}:fence$/,
];
const SESSIONS = /:\{user\.[\w-]+\}:sessions$/;
/** Kept for ten seconds and then gone, whatever is asked meanwhile. */
const EXPIRING_KEYS = /:\{user\.[\w-]+\}:refresh-answer:[\w-]+$/;

export type Snapshot = ReadonlyMap<string, string>;

/** What an application keeps in the test cluster: users, names, sessions, marks of tokens, keys. */
export class StoredState {
  private constructor(
    private readonly cluster: Cluster,
    private readonly prefix: string,
  ) {}

  static async of({ keyPrefix }: { readonly keyPrefix: string }): Promise<StoredState> {
    return new StoredState(await connectRedis(), keyPrefix);
  }

  /** @param cluster a connection of an administrator of another cluster */
  static on(cluster: Cluster, prefix: string): StoredState {
    return new StoredState(cluster, prefix);
  }

  /** When each key of the snapshot runs out, in milliseconds since the epoch; -1: never. */
  async expiries(snapshot: Snapshot): Promise<Snapshot> {
    const found = [...snapshot.keys()].map(
      async (key) => [key, String(await this.cluster.pexpiretime(key))] as const,
    );
    return new Map(await Promise.all(found));
  }

  async snapshot(): Promise<Snapshot> {
    const { keys, values } = await dumpFrom(this.cluster, this.prefix);
    const found = keys.map((key, index) => ({ key, value: values[index] }));
    return new Map(
      found
        // What has run out between the look at its name and the look at it is not there.
        .filter(({ key, value }) => value !== null && !IGNORED_KEYS.some((one) => one.test(key)))
        .map(({ key, value }) => [key, textOf(key, value)]),
    );
  }

  close(): void {
    this.cluster.disconnect();
  }
}

/** The keys that came, went or hold something else. */
export function changedKeys(before: Snapshot, after: Snapshot): string[] {
  const isChanged = (key: string): boolean =>
    before.get(key) !== after.get(key) && (after.has(key) || !EXPIRING_KEYS.test(key));
  return [...new Set([...before.keys(), ...after.keys()])].filter(isChanged).sort();
}

/** Members in one order, and without the last use of a session: a good token uses it, whatever is asked. */
function textOf(key: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  const members = Object.entries(value as Record<string, string>).map(([name, text]) => [
    name,
    SESSIONS.test(key) ? withoutLastUse(text) : text,
  ]);
  return JSON.stringify(members.sort(([one], [other]) => (one! < other! ? -1 : 1)));
}

function withoutLastUse(session: string): string {
  const members = Object.entries(JSON.parse(session) as Record<string, unknown>);
  return JSON.stringify(members.filter(([name]) => name !== 'lastUsedAt').sort());
}
