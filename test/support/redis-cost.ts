import type { OwnCluster } from './own-cluster.js';
import { eventually } from './own-cluster.js';
import { RedisTraffic, scriptsBySha1 } from './redis-traffic.js';

/**
 * Commands between nodes and clients, and WAIT: a blocking WAIT is counted by some versions of Redis and not by
 * others. They are counted where they are sent.
 */
const NOT_COUNTED =
  /^(cluster\||client\||info|ping|replconf|hello|auth|command|config|script|wait$)/;
const MAX_TRIES = 20;

/** What one operation costs. */
export interface RedisCost {
  /** A text for each round trip, with the scripts and commands that it brought. */
  readonly roundTrips: readonly string[];
  /** Commands that the masters have executed, and how often: also those that the scripts call. By their own counters. */
  readonly commands: string;
}

/** Counts the commands that the applications of this process send to their own cluster. */
export class RedisCostMeter {
  private readonly traffic: RedisTraffic;
  /** Scripts that were executed more often than they were sent, or less often, before what is counted now. */
  private unaccounted = 0;

  /** Begin before the applications connect. */
  constructor(private readonly own: OwnCluster) {
    this.traffic = new RedisTraffic(own.cluster.addresses.map(({ port }) => port));
  }

  /** Loads all scripts on all nodes, so that no node asks for the source of a script while it counts. */
  async loadScripts(): Promise<void> {
    for (const { port } of this.own.cluster.addresses) {
      for (const { source } of scriptsBySha1.values()) {
        await this.own.cluster.call(port, 'SCRIPT', 'LOAD', source);
      }
    }
  }

  close(): void {
    this.traffic.stop();
  }

  /**
   * @param prepare what comes before and is not counted
   * @param work what is counted. Both are done again when an instance did something by itself meanwhile (a lease, its
   * clock), which the servers' counters cannot tell apart, or when a connection was lost, and what was sent on it
   */
  async of<Prepared>(
    prepare: () => Promise<Prepared>,
    work: (prepared: Prepared) => Promise<unknown>,
  ): Promise<RedisCost> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const prepared = await prepare();
      const before = await this.executed();
      this.traffic.forget();
      await work(prepared);
      const after = await this.executed();
      const { writes, isDisturbed } = this.traffic.sent;
      if (before && after && !isDisturbed) {
        return { roundTrips: writes, commands: difference(before, after) };
      }
    }
    throw new Error('an instance is never at rest');
  }

  /** Commands that the masters have executed until now, when all that was sent has arrived; undefined when it has not. */
  private async executed(): Promise<Counts | undefined> {
    let counts: Counts = new Map();
    let difference = 0;
    // Not every operation waits for the last thing that it sends.
    return eventually('the masters have executed what was sent', 5000, async () => {
      counts = await this.counters();
      const scripts = (counts.get('evalsha') ?? 0) + (counts.get('eval') ?? 0);
      difference = scripts - this.traffic.scripts;
      return difference === this.unaccounted;
    }).then(
      () => counts,
      () => {
        this.unaccounted = difference;
        return undefined;
      },
    );
  }

  private async counters(): Promise<Counts> {
    const counts = new Map<string, number>();
    for (const port of await this.own.masters()) {
      const stats = await this.own.cluster.call(port, 'INFO', 'commandstats');
      for (const [, name = '', calls] of stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)) {
        if (!NOT_COUNTED.test(name)) {
          counts.set(name, (counts.get(name) ?? 0) + Number(calls));
        }
      }
    }
    return counts;
  }
}

type Counts = ReadonlyMap<string, number>;

/** As text, so that a table of many operations can be read. */
function difference(before: Counts, after: Counts): string {
  return [...after]
    .map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)])
    .filter(([, count]) => count > 0)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
