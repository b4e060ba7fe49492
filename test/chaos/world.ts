import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { freePort } from '../support/free-port.js';
import { HttpClient } from '../support/http-client.js';
import { inboxSlots } from '../support/inboxes.js';
import { Instance } from '../support/instance.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { Shards } from '../support/shards.js';
import { History, isAnswered } from './history.js';
import { Load } from './load.js';
import { Random } from './random.js';
import { Resharding } from './resharding.js';
import { Wire } from './wire.js';

const INSTANCES = 3;
const KEY_PREFIX = 't-';
/** The path is relative to the project root. */
const LIGHT_MEMBERS = resolve('test/chaos/light-members.mjs');
/** An instance reports every ten seconds where its inbox is. */
const REPORT_TIMEOUT_MS = 15_000;
const HOUR_MS = 3_600_000;
const READY_TIMEOUT_MS = 60_000;
const REGISTRATION_TIMEOUT_MS = 60_000;

export interface WorldOptions {
  readonly seed: number;
  /** How long a node is lost that returns later. */
  readonly lostMs: number;
  /** The number of concurrent users. Default: one for each client. */
  readonly users?: number | undefined;
  /** When a killed node is restarted. Default 'after-failover'. */
  readonly restartNodes?: 'after-failover' | 'at-once' | 'never' | undefined;
  /** Default 1. */
  readonly replicasPerMaster?: number | undefined;
  /** Default 0. */
  readonly spareReplicas?: number | undefined;
  /** Additional lines of redis.conf. */
  readonly configuration?: readonly string[] | undefined;
  /** The index of an instance that connects to Redis through proxies, which can add latency or be cut. */
  readonly wired?: number | undefined;
  /** The number of additional members that only check tokens, all in one process. Default none. */
  readonly lightMembers?: number | undefined;
  /** An instance whose clock is an hour ahead (1) or behind (-1). */
  readonly wrongClock?: { readonly instance: number; readonly hours: 1 | -1 } | undefined;
}

interface ReadyBody {
  readonly checks: { readonly trustsMemory: boolean };
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
    private readonly lightMembers: LightMembers | undefined,
    readonly lostMs: number,
  ) {
    this.resharding = new Resharding(redis);
  }

  static async start({
    seed,
    lostMs,
    users,
    wired,
    wrongClock,
    lightMembers = 0,
    restartNodes = 'after-failover',
    replicasPerMaster = 1,
    spareReplicas = 0,
    configuration = [],
  }: WorldOptions): Promise<World> {
    const redis = await startOwnCluster({
      restartNodes,
      replicasPerMaster,
      spareReplicas,
      configuration,
    });
    const wire = wired === undefined ? undefined : await Wire.to(redis.cluster.addresses);
    const instances: Instance[] = [];
    const members =
      lightMembers === 0 ? undefined : await LightMembers.choose(redis.variables, lightMembers);
    const world = new World(seed, users, new Random(seed), redis, instances, wire, members, lostMs);
    try {
      for (let index = 0; index < INSTANCES; index += 1) {
        instances.push(
          await Instance.start({
            ...redis.variables,
            REDIS_KEY_PREFIX: KEY_PREFIX,
            RATE_LIMIT: 'off',
            LOG_LEVEL: 'warn',
            ...(wire && wired === index ? { REDIS_NODES: wire.addresses } : {}),
            ...(wrongClock?.instance === index ? shiftedClock(wrongClock.hours) : {}),
          }),
        );
      }
      await members?.start();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  startLoad(workers: number): void {
    const { instances, history, seed, users, lightMembers } = this;
    this.load = new Load(instances, history, seed, workers, users, lightMembers?.clients);
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
    await untilReady([...this.instances, ...(this.lightMembers?.clients ?? [])]);
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

  /** Waits until each light member has checked a token for a client from now on. */
  async untilLightMembersWork(): Promise<void> {
    const since = this.history.now();
    const numbers = this.lightMembers!.clients.map((_, index) => this.instances.length + index);
    await eventually('each light member has checked a token', READY_TIMEOUT_MS, async () =>
      Promise.resolve(
        numbers.every((number) =>
          this.history.operations.some(
            (one) => one.instance === number && isAnswered(one) && one.begin > since,
          ),
        ),
      ),
    );
  }

  /** Changes that have waited for the lease of a silent member, as counted by the running instances. */
  async leaseWaits(): Promise<number> {
    const counts = this.instances.map(async (instance) => {
      const { body } = await instance.request<string>('GET', '/metrics');
      return Number(/outcome="waited-for-lease"} (\d+)/.exec(body)?.[1] ?? 0);
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** Kills the process of all light members, or lets it stand still for some time. */
  async disturbLightMembers(how: 'kill' | 'pause', ms = 0): Promise<void> {
    const { clients, process } = this.lightMembers!;
    const work = async (): Promise<void> => {
      if (how === 'kill') {
        await process.kill();
        await process.restart();
      } else {
        process.pause();
        await delay(ms);
        process.resume();
        // One process answers everything that has waited.
        await untilReady(clients);
      }
    };
    const numbers = clients.map((_, index) => this.instances.length + index);
    const done = work();
    await Promise.all(
      numbers.map(async (number) => this.history.disturb(number, async () => done)),
    );
  }

  /** Waits until each instance has reported its inbox. @returns the slots, in the order of the instances */
  async inboxSlots(shards: Shards): Promise<readonly number[]> {
    let found: readonly (number | undefined)[] = [];
    await eventually('each instance has reported its inbox', REPORT_TIMEOUT_MS, async () => {
      // A node that has just returned may refuse to answer.
      const slots = await inboxSlots(this.redis, shards, KEY_PREFIX).catch(
        () => new Map<number, number>(),
      );
      found = this.instances.map(({ pid }) => slots.get(pid!));
      return found.every((slot) => slot !== undefined);
    });
    return found.map((slot) => slot!);
  }

  async inboxMasters(shards: Shards): Promise<readonly number[]> {
    return (await this.inboxSlots(shards)).map((slot) => shards.masterOf(slot));
  }

  /** Waits until each instance trusts its memory. */
  async untilTrusted(withinMs: number): Promise<void> {
    await eventually('each instance has a lease', withinMs, async () => {
      const answers = this.instances.map(async (instance) =>
        instance.request<ReadyBody>('GET', '/health/ready'),
      );
      return (await Promise.all(answers)).every(({ body }) => body.checks.trustsMemory);
    });
  }

  /** Instances that exited unexpectedly, and internal errors in the logs. */
  get crashed(): string[] {
    const processes = [...this.instances, ...(this.lightMembers?.processes ?? [])];
    return processes.flatMap((instance, index) => [
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
    const processes = [...this.instances, ...(this.lightMembers?.processes ?? [])];
    processes.forEach((instance) => instance.resume());
    this.wire?.restore();
    await this.load?.stop();
    await Promise.all(processes.map((instance) => instance.stop()));
    this.wire?.close();
    await this.resharding.stop();
    await this.redis.remove();
  }
}

async function untilReady(clients: readonly HttpClient[]): Promise<void> {
  await Promise.all(
    clients.map(async (client) =>
      eventually('an instance is ready again', READY_TIMEOUT_MS, async () => {
        const answer = await client.request('GET', '/health/ready').catch(() => undefined);
        return answer?.status === 200 && answer.body['status'] === 'ok';
      }),
    ),
  );
}

function shiftedClock(hours: number): Record<string, string> {
  const module = pathToFileURL(resolve('test/chaos/shifted-clock.mjs'));
  return { NODE_OPTIONS: `--import=${module.href}`, CLOCK_SHIFT_MS: String(hours * HOUR_MS) };
}

/** Members of the cluster that only check tokens, in one process. */
class LightMembers {
  readonly clients: readonly HttpClient[];
  readonly processes: Instance[] = [];

  private constructor(
    private readonly variables: Readonly<Record<string, string>>,
    private readonly ports: readonly number[],
  ) {
    this.clients = ports.map((port) => new HttpClient(`http://127.0.0.1:${port}`));
  }

  static async choose(
    variables: Readonly<Record<string, string>>,
    count: number,
  ): Promise<LightMembers> {
    const ports = await Promise.all(Array.from({ length: count }, async () => freePort()));
    return new LightMembers({ ...variables, REDIS_KEY_PREFIX: KEY_PREFIX }, ports);
  }

  get process(): Instance {
    return this.processes[0]!;
  }

  async start(): Promise<void> {
    const variables = { ...this.variables, PORTS: this.ports.join(',') };
    this.processes.push(await Instance.start(variables, LIGHT_MEMBERS));
  }
}
