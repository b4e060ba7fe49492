import calculateSlot from 'cluster-key-slot';

import { parseClusterNodes } from '../../src/redis-cluster/index.js';
import { digestOfKey } from '../../src/users/names/username.js';
import { nameKeysOf } from '../../src/users/names/user-names.js';
import type { OwnCluster } from './own-cluster.js';

const SIGNING_KEYS_SLOT = calculateSlot('{keys.signing}');

interface Master {
  readonly port: number;
  readonly replicas: readonly number[];
  readonly slots: readonly (readonly [first: number, last: number])[];
}

/** The slot of the keys with a tag. */
export function slotOf(tag: string): number {
  return calculateSlot(`{${tag}}`);
}

/** The slots with data of a user. Without an id: the slots of the name. */
export function slotsOfUser(username: string, id?: string): readonly number[] {
  const names = nameKeysOf(username).map(({ text }) => slotOf(`name.${digestOfKey(text)}`));
  return id === undefined ? names : [...names, slotOf(`user.${id}`)];
}

/** Which master had what when it was asked. A shard is named by the port of its master. */
export class Shards {
  private constructor(private readonly masters: readonly Master[]) {}

  static async of(redis: OwnCluster): Promise<Shards> {
    const [first] = await redis.masters();
    const view = parseClusterNodes(await redis.cluster.call(first!, 'CLUSTER', 'NODES'));
    const masters = view.filter(({ isMaster }) => isMaster);
    return new Shards(
      masters.map(({ id, port, slots }) => ({
        port,
        slots,
        replicas: view.filter(({ masterId }) => masterId === id).map((node) => node.port),
      })),
    );
  }

  get ports(): readonly number[] {
    return this.masters.map(({ port }) => port);
  }

  masterOf(slot: number): number {
    return this.masters.find(({ slots }) =>
      slots.some(([first, last]) => first <= slot && slot <= last),
    )!.port;
  }

  ofKey(key: string): number {
    return this.masterOf(calculateSlot(key));
  }

  get ofSigningKeys(): number {
    return this.masterOf(SIGNING_KEYS_SLOT);
  }

  /** Whether some of the slots are in the shard. */
  has(master: number, slots: readonly number[]): boolean {
    return slots.some((slot) => this.masterOf(slot) === master);
  }

  /** The ports of the master and its replicas. */
  nodesOf(master: number): readonly number[] {
    return [master, ...this.masters.find(({ port }) => port === master)!.replicas];
  }
}
