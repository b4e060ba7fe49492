import { join } from 'node:path';

import { findFreePorts } from '../../src/embedded-cluster/ports.js';
import { RedisNode } from '../../src/embedded-cluster/redis-node.js';
import { parseClusterNodes } from '../../src/redis-cluster/index.js';
import { eventually, type OwnCluster } from '../support/own-cluster.js';
import { running } from '../support/running.js';

const KEYS_AT_ONCE = 50;
/** Number of pipelined commands. */
const SLOTS_AT_ONCE = 500;
const MIGRATE_TIMEOUT_MS = 5000;
const CONVERGENCE_TIMEOUT_MS = 20_000;

/** A node that answers commands: of the embedded cluster, or added to it. */
interface Node {
  readonly port: number;
  call(command: string, ...args: (string | number)[]): Promise<string>;
}

/** The actions of an operator with redis-cli: migrating slots, adding and removing nodes. */
export class Resharding {
  private readonly added: RedisNode[] = [];

  constructor(private readonly redis: OwnCluster) {}

  /** The slot of keys with this hash tag. */
  async slotOf(tag: string): Promise<number> {
    return Number(await this.nodes[0]!.call('CLUSTER', 'KEYSLOT', `{${tag}}`));
  }

  /** At most this many slots of a node that contain keys. */
  async usedSlotsOf(port: number, count: number): Promise<number[]> {
    const node = this.node(port);
    const slots = await this.slotsOf(port);
    const found: number[] = [];
    for (let first = 0; first < slots.length && found.length < count; first += SLOTS_AT_ONCE) {
      const some = slots.slice(first, first + SLOTS_AT_ONCE);
      const keys = await Promise.all(
        some.map(async (slot) => node.call('CLUSTER', 'COUNTKEYSINSLOT', slot)),
      );
      found.push(...some.filter((_, index) => Number(keys[index]) > 0));
    }
    return found.slice(0, count);
  }

  async masterOf(slot: number): Promise<number> {
    for (const port of await this.redis.masters()) {
      if ((await this.slotsOf(port)).includes(slot)) {
        return port;
      }
    }
    throw new Error(`nobody serves slot ${slot}`);
  }

  /** Migrates a slot, key by key, while clients use it. */
  async move(slot: number, from: number, to: number): Promise<void> {
    await this.beginMove(slot, from, to);
    await this.finishMove(slot, from, to);
  }

  /** From now on, the old node redirects requests for missing keys to the new node. */
  async beginMove(slot: number, from: number, to: number): Promise<void> {
    const [source, target] = [this.node(from), this.node(to)];
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(source));
    await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(target));
  }

  async finishMove(slot: number, from: number, to: number): Promise<void> {
    const [source, target] = [this.node(from), this.node(to)];
    const targetId = await idOf(target);
    for (;;) {
      const keys = await source.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE);
      if (keys === '') {
        break;
      }
      const password = this.redis.cluster.password.reveal();
      const rest = ['AUTH2', this.redis.administrator, password, 'KEYS', ...keys.split(',')];
      await source.call('MIGRATE', '127.0.0.1', to, '', 0, MIGRATE_TIMEOUT_MS, ...rest);
    }
    await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
    await source.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
    const masters = await this.redis.masters();
    const others = masters.filter((port) => port !== from && port !== to);
    await Promise.all(
      others.map(async (port) =>
        this.node(port).call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId),
      ),
    );
  }

  /** Adds a master with a replica, without slots. @returns the port of the master */
  async addShard(): Promise<number> {
    const firstPort = await findFreePorts(this.nodes.at(-1)!.port + 1, 2);
    const known = this.nodes[0]!;
    const [master, replica] = [0, 1].map(
      (index) =>
        new RedisNode(
          firstPort! + index,
          join(this.redis.directory, `added-${index}`),
          this.redis.cluster.password.reveal(),
          this.redis.nodeOptions,
        ),
    ) as [RedisNode, RedisNode];
    this.added.push(master, replica);
    running.add(async () => this.stop());
    for (const node of this.added) {
      await node.start();
      await known.call('CLUSTER', 'MEET', '127.0.0.1', node.port);
    }
    const masterId = await idOf(master);
    await eventually('the new nodes are known to all', CONVERGENCE_TIMEOUT_MS, async () => {
      const views = await Promise.all(
        this.nodes.map(async (node) => node.call('CLUSTER', 'NODES')),
      );
      return views.every((view) => this.added.every(({ port }) => isKnown(view, port)));
    });
    await replica.call('CLUSTER', 'REPLICATE', masterId);
    await eventually('the new master has a replica', CONVERGENCE_TIMEOUT_MS, async () =>
      /slave0:.*state=online/.test(await master.call('INFO', 'replication')),
    );
    // A new node refuses slots until it is connected to most masters.
    await eventually('the new nodes serve', CONVERGENCE_TIMEOUT_MS, async () => {
      const infos = await Promise.all(this.added.map((node) => node.call('CLUSTER', 'INFO')));
      return infos.every((info) => info.includes('cluster_state:ok'));
    });
    return master.port;
  }

  /** Removes the added nodes, which have no slots any more, from the cluster. */
  async removeShard(): Promise<void> {
    const leaving = this.added.splice(0);
    const ids = await Promise.all(leaving.map(idOf));
    await Promise.all(leaving.map(async (node) => node.stop()));
    for (const node of this.nodes) {
      // A replica may have forgotten the node already, if it learned of the removal first.
      await Promise.all(ids.map(async (id) => node.call('CLUSTER', 'FORGET', id).catch(() => '')));
    }
  }

  /** Stops the added nodes that still exist. */
  async stop(): Promise<void> {
    await Promise.all(this.added.splice(0).map(async (node) => node.stop()));
  }

  private get nodes(): readonly Node[] {
    const { cluster } = this.redis;
    const original = cluster.addresses.map(({ port }) => ({
      port,
      call: async (command: string, ...args: (string | number)[]) =>
        cluster.call(port, command, ...args),
    }));
    return [...original, ...this.added];
  }

  private node(port: number): Node {
    return this.nodes.find((node) => node.port === port)!;
  }

  private async slotsOf(port: number): Promise<number[]> {
    const view = await this.node(port).call('CLUSTER', 'NODES');
    const self = parseClusterNodes(view).find(({ isMyself }) => isMyself);
    return (self?.slots ?? []).flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    );
  }
}

async function idOf(node: Node): Promise<string> {
  return node.call('CLUSTER', 'MYID');
}

function isKnown(view: string, port: number): boolean {
  return parseClusterNodes(view).some((node) => node.port === port && node.isUp);
}
