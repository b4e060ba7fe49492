import type { OwnCluster } from './own-cluster.js';
import { eventually } from './own-cluster.js';
import { RedisTraffic, scriptsBySha1 } from './redis-traffic.js';

/**
 * Background commands of nodes and clients. WAIT is counted where it is sent, because it depends on the version of Redis
 * whether the counters include a blocking WAIT.
 */
const NOT_COUNTED =
  /^(cluster\||client\||info|ping|replconf|hello|auth|command|config|script|wait$)/;
const MAX_TRIES = 20;

/** The cost of one operation. */
export interface RedisCost {
  /** A text for each round trip, with its scripts and commands. */
  readonly roundTrips: readonly string[];
  /** Commands executed by the masters, with counts, including those in scripts. From the counters of the masters. */
  readonly commands: string;
}

/** Counts the commands that the applications of this process send to their own cluster. */
export class RedisCostMeter {
  private readonly traffic: RedisTraffic;
  /** The difference between executed and sent scripts before the current measurement. */
  private unaccounted = 0;

  /** Create it before the applications connect. */
  constructor(private readonly own: OwnCluster) {
    this.traffic = new RedisTraffic(own.cluster.addresses.map(({ port }) => port));
  }

  /** Loads all scripts on all nodes, so that no node asks for the source of a script during a measurement. */
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
   * @param prepare preparation that is not counted
   * @param work what is counted. Both are repeated if an instance did background work meanwhile (lease, clock), which the
   * counters cannot distinguish, or if a connection with pending commands was lost
   */
  async of<Prepared>(
    prepare: () => Promise<Prepared>,
    work: (prepared: Prepared) => Promise<unknown>,
  ): Promise<RedisCost> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const prepared = await prepare();
      this.traffic.forget();
      // After the first reading, what was sent before has been executed. A node may read its connections in another order.
      await this.executed();
      const before = await this.executed();
      const wasDisturbed = this.traffic.sent.isDisturbed;
      this.traffic.forget();
      await work(prepared);
      const after = await this.executed();
      const { writes, isDisturbed } = this.traffic.sent;
      if (before && after && !wasDisturbed && !isDisturbed) {
        return { roundTrips: writes, commands: difference(before, after) };
      }
    }
    throw new Error('an instance is never at rest');
  }

  /** Commands executed by the masters so far, when all sent commands have arrived; undefined if they have not. */
  private async executed(): Promise<Counts | undefined> {
    let counts: Counts = new Map();
    let difference = 0;
    // Not every operation awaits its last command.
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

/** As text, so that a table of many operations is readable. */
function difference(before: Counts, after: Counts): string {
  return [...after]
    .map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)])
    .filter(([, count]) => count > 0)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
