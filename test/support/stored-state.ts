import type { Cluster } from 'ioredis';

import { connectRedis, dumpFrom } from './redis.js';

/** Keys that change in the background, or that refused requests may change. */
const IGNORED_KEYS = [
  // Counters of the rate limits, which count refused requests.
  /:\{(?:password-account|administered-mail|second-factor-account|verification-account|address-change|reset-account|(?:client|login|one-time-token|refresh|registration|reset|second-factor)-address)\.[\w-]+\}:(?:failed|under-way|guesses)$/,
  // Leases are renewed in the background, and every read registers its instance as a holder.
  /:\{(?:inbox|retired)\.[\w-]+\}:|:\{instances\.registry\}:|:\{[\w.-]+\}:holders(?::[\w-]+)?$/,
  // The directory is corrected after a change has returned.
  /:\{user-directory\.[0-9a-f]\}:(?:terms|entries|due)$/,
  // Mails are sent after the request that caused them was answered.
  /:\{mail-outbox\.[0-3]\}:(?:due|entries|failed|sent)$/,
  // Refused requests are recorded, too.
  /:\{audit\.[0-9a-f]\}:|:\{audit-user\.[\w-]+\}:/,
  // Fences have no contents; every decision writes one, so that a replica can confirm the decision.
  /:\{(?:user\.[\w-]+|administrators\.registry|keys\.signing|roles\.all|service-accounts\.all)\}:fence$/,
];
const SESSIONS = /:\{user\.[\w-]+\}:sessions$/;
/** Keys that expire ten seconds after they were written, independent of requests. */
const EXPIRING_KEYS = /:\{user\.[\w-]+\}:refresh-answer:[\w-]+$/;

export type Snapshot = ReadonlyMap<string, string>;

/** The data of an application in the test cluster: users, names, sessions, marks of tokens, keys. */
export class StoredState {
  private constructor(
    private readonly cluster: Cluster,
    private readonly prefix: string,
  ) {}

  static async of({ keyPrefix }: { readonly keyPrefix: string }): Promise<StoredState> {
    return new StoredState(await connectRedis(), keyPrefix);
  }

  /** @param cluster an administrator's connection to another cluster */
  static on(cluster: Cluster, prefix: string): StoredState {
    return new StoredState(cluster, prefix);
  }

  /** The expiry of each key in the snapshot, in milliseconds since the epoch; -1: never. */
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
        // Omits keys that expired after they were listed.
        .filter(({ key, value }) => value !== null && !IGNORED_KEYS.some((one) => one.test(key)))
        .map(({ key, value }) => [key, textOf(key, value)]),
    );
  }

  close(): void {
    this.cluster.disconnect();
  }
}

/** The keys that were added, removed or changed. */
export function changedKeys(before: Snapshot, after: Snapshot): string[] {
  const isChanged = (key: string): boolean =>
    before.get(key) !== after.get(key) && (after.has(key) || !EXPIRING_KEYS.test(key));
  return [...new Set([...before.keys(), ...after.keys()])].filter(isChanged).sort();
}

/** Members in a fixed order, without the time of the last use of a session, which a valid token updates. */
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
