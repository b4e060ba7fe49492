import calculateSlot from 'cluster-key-slot';

import { keySetKey } from '../../keys/read/index.js';
import { KeyBuilder } from '../../redis-cluster/index.js';
import { rolesKey } from './roles-slot.js';

describe('the slot of the stored roles', () => {
  const keys = new KeyBuilder('ks:');

  it('is in the shard of the signing keys, with three to six shards of equal size', () => {
    const [roles, signing] = [rolesKey(keys, 'set'), keySetKey(keys, 'set')].map((key) =>
      calculateSlot(key),
    ) as [number, number];

    for (let shards = 3; shards <= 6; shards += 1) {
      const shardOf = (slot: number): number => Math.floor((slot * shards) / 16384);
      expect({ shards, shard: shardOf(roles) }).toEqual({ shards, shard: shardOf(signing) });
    }
  });
});
