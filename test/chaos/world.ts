import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { Instance } from '../support/instance.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { History } from './history.js';
import { Load } from './load.js';
import { Random } from './random.js';
import { Resharding } from './resharding.js';
import { Wire } from './wire.js';

const INSTANCES = 3;
const HOUR_MS = 3_600_000;
const READY_TIMEOUT_MS = 60_000;
const REGISTRATION_TIMEOUT_MS = 60_000;

export interface WorldOptions {
  readonly seed: number;
  /** The number of concurrent users. Default: one for each client. */
  readonly users?: number | undefined;
  /** When a killed node is restarted. Default 'after-failover'. */
  readonly restartNodes?: 'after-failover' | 'at-once' | undefined;
  /** The index of an instance that connects to Redis through proxies, which can add latency or be cut. */
  readonly wired?: number | undefined;
  /** An instance whose clock is an hour ahead (1) or behind (-1). */
  readonly wrongClock?: { readonly instance: number; readonly hours: 1 | -1 } | undefined;
}

/** Real instances on a separate real cluster, with clients that send requests during faults. */
export class World {
  readonly history = new History();
  private load: Load | undefined;
  readonly resharding: Resharding;

  private constructor(
    private readonly seed: number,
    private readonly users: number | undefined,
    /** Chooses the faults. */
    readonly random: Random,
    readonly redis: OwnCluster,
    readonly instances: readonly Instance[],
    readonly wire: Wire | undefined,
  ) {
    this.resharding = new Resharding(redis);
  }

  static async start({
    seed,
    users,
    wired,
    wrongClock,
    restartNodes = 'after-failover',
  }: WorldOptions): Promise<World> {
    const redis = await startOwnCluster({ restartNodes });
    const wire = wired === undefined ? undefined : await Wire.to(redis.cluster.addresses);
    const instances: Instance[] = [];
    const world = new World(seed, users, new Random(seed), redis, instances, wire);
    try {
      for (let index = 0; index < INSTANCES; index += 1) {
        instances.push(
          await Instance.start({
            ...redis.variables,
            RATE_LIMIT: 'off',
            LOG_LEVEL: 'warn',
            ...(wire && wired === index ? { REDIS_NODES: wire.addresses } : {}),
            ...(wrongClock?.instance === index ? shiftedClock(wrongClock.hours) : {}),
          }),
        );
      }
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  startLoad(workers: number): void {
    this.load = new Load(this.instances, this.history, this.seed, workers, this.users);
  }

  /** Waits until all concurrent users have registered, or until a timeout. */
  async untilRegistered(): Promise<void> {
    const { load, users = 1 } = this;
    await eventually('the users are there', REGISTRATION_TIMEOUT_MS, async () =>
      Promise.resolve((load?.users ?? 0) >= users),
    ).catch(() => undefined);
  }

  /** Waits until clients have checked everything again, with definite results only. */
  async finishLoad(): Promise<void> {
    this.history.repairedFrom = this.history.now();
    await this.load?.finish();
  }

  /** Waits while the clients send requests. */
  async runFor(ms: number): Promise<void> {
    await delay(ms);
  }

  /** Waits until Redis is healthy and every instance is ready. */
  async untilHealthy(): Promise<void> {
    await this.redis.untilWhole();
    await Promise.all(
      this.instances.map(async (instance) =>
        eventually('an instance is ready again', READY_TIMEOUT_MS, async () => {
          const answer = await instance.request('GET', '/health/ready').catch(() => undefined);
          return answer?.status === 200 && answer.body['status'] === 'ok';
        }),
      ),
    );
  }

  async restart(index: number, how: 'kill' | 'stop'): Promise<void> {
    const instance = this.instances[index]!;
    await this.history.disturb(index, async () => {
      await instance[how]();
      await instance.restart();
    });
  }

  async pause(index: number, ms: number): Promise<void> {
    const instance = this.instances[index]!;
    await this.history.disturb(index, async () => {
      instance.pause();
      await delay(ms);
      instance.resume();
    });
  }

  /** Instances that exited unexpectedly, and internal errors in the logs. */
  get crashed(): string[] {
    return this.instances.flatMap((instance, index) => [
      ...(instance.hasEnded
        ? [`instance ${index} has ended: ${instance.output().slice(-500)}`]
        : []),
      ...instance
        .output()
        .split('\n')
        .filter((line) => /"level":[56]0|Unhandled|uncaught/.test(line))
        .map((line) => `instance ${index} says: ${line.slice(0, 500)}`),
    ]);
  }

  /** Stops everything, even if a scenario was aborted during a fault. */
  async stop(): Promise<void> {
    // Clients wait for responses of stopped instances.
    this.instances.forEach((instance) => instance.resume());
    this.wire?.restore();
    await this.load?.stop();
    await Promise.all(this.instances.map((instance) => instance.stop()));
    this.wire?.close();
    await this.resharding.stop();
    await this.redis.remove();
  }
}

function shiftedClock(hours: number): Record<string, string> {
  const module = pathToFileURL(resolve('test/chaos/shifted-clock.mjs'));
  return { NODE_OPTIONS: `--import=${module.href}`, CLOCK_SHIFT_MS: String(hours * HOUR_MS) };
}
