import { NODE_TIMEOUT_MS } from '../../src/embedded-cluster/redis-node.js';
import type { Expectations } from './expectations.js';
import type { World, WorldOptions } from './world.js';

/** Of a master: the node timeout, and what an election and the clients' way to the new master take. */
export const FAILOVER_RECOVERY_MS = NODE_TIMEOUT_MS + 3000;
/** Of whatever needs no election. */
export const SHORT_RECOVERY_MS = 3000;
/** Where clients notice nothing, but for one that was unlucky twice. */
export const HARDLY_ANY = 0.01;

export interface Scenario extends Expectations {
  readonly name: string;
  readonly about: string;
  readonly options?: Omit<WorldOptions, 'seed'>;
  readonly run: (world: World) => Promise<void>;
}
