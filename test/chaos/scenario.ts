import { NODE_TIMEOUT_MS } from '../../src/embedded-cluster/redis-node.js';
import type { Expectations } from './expectations.js';
import type { World, WorldOptions } from './world.js';

/** Recovery of a master: the node timeout, plus the election and the reconnection of clients. */
export const FAILOVER_RECOVERY_MS = NODE_TIMEOUT_MS + 3000;
/** Recovery of a fault that needs no election. */
export const SHORT_RECOVERY_MS = 3000;
/** For faults that clients should not notice, except for a request that fails twice by chance. */
export const MAX_RARE_REFUSALS = 0.01;

export interface Scenario extends Expectations {
  readonly name: string;
  readonly about: string;
  readonly options?: Omit<WorldOptions, 'seed' | 'lostMs'>;
  readonly run: (world: World) => Promise<void>;
}
