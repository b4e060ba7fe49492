import type { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

import { withTimeout, type Deadline } from '../common/deadline/index.js';
import type { ClusterLink } from './cluster-link.js';
import { countSlots, parseClusterNodes, SLOTS } from './cluster-nodes.js';
import { isMissingRight } from './error-replies.js';
import { isProgrammingError } from './programming-error.js';
import { MissingRightError, RedisUnavailableError } from './redis-cluster.errors.js';

/** Keys that a node examines for one reply: about a millisecond of work. */
const SCAN_COUNT = 1000;
const REPLY_TIMEOUT_MS = 2000;
/** All passes together take longer than a failover. */
const MAX_PASSES = 20;
const PASS_INTERVAL_MS = 500;

/** Which master serves which slots, as all masters report it. */
interface Layout {
  readonly masters: string;
  readonly slots: string;
  /** Whether a slot is migrating from one master to another. */
  readonly isMoving: boolean;
}

/** The layout as one master sees it, with its own id. */
interface View extends Layout {
  readonly self: string;
  readonly slotCount: number;
}

/**
 * Finds the keys that match a pattern on all masters. It finds every key that exists during the whole scan, even while slots
 * migrate: one pass is enough if no slot migrated during it, else two, because no slot migrates twice so quickly. A pass in
 * which a master was replaced is repeated.
 */
export class KeyScan {
  private readonly keys = new Set<string>();
  private passesWhileMoving = 0;

  constructor(
    private readonly link: ClusterLink,
    private readonly pattern: string,
  ) {}

  /** @throws RedisUnavailableError, MissingRightError */
  async run(deadline: Deadline): Promise<ReadonlySet<string>> {
    let cause: unknown;
    for (let pass = 0; pass < MAX_PASSES && !deadline.hasPassed; pass += 1) {
      try {
        if (await this.pass(deadline)) {
          return this.keys;
        }
      } catch (error) {
        if (isProgrammingError(error as Error)) {
          throw error;
        }
        throwIfMissingRight(error as Error);
        cause = error;
      }
      this.link.checkSoon();
      await delay(Math.min(PASS_INTERVAL_MS, deadline.remainingMs));
    }
    throw new RedisUnavailableError('the keys of the cluster could not be listed', { cause });
  }

  /** @returns whether the scan is complete */
  private async pass(deadline: Deadline): Promise<boolean> {
    const masters = this.link.nodes('master');
    const before = await layoutOf(masters);
    await Promise.all(masters.map(async (master) => this.scan(master, deadline)));
    const after = await layoutOf(masters);
    if (before.masters !== after.masters) {
      return false;
    }
    if (before.slots === after.slots && !before.isMoving && !after.isMoving) {
      return true;
    }
    this.passesWhileMoving += 1;
    return this.passesWhileMoving === 2;
  }

  private async scan(master: Redis, deadline: Deadline): Promise<void> {
    let cursor = '0';
    do {
      const timeoutMs = Math.min(REPLY_TIMEOUT_MS, deadline.remainingMs);
      const answer = master.scan(cursor, 'MATCH', this.pattern, 'COUNT', SCAN_COUNT);
      const [next, found] = await withTimeout(timeoutMs, answer);
      found.forEach((key) => this.keys.add(key));
      cursor = next;
    } while (cursor !== '0');
  }
}

/** @throws when the masters do not agree, or a node that is not in `masters` serves slots: a master was replaced */
async function layoutOf(masters: readonly Redis[]): Promise<Layout> {
  const views = await Promise.all(
    masters.map(async (master) =>
      viewOf(String(await withTimeout(REPLY_TIMEOUT_MS, master.call('CLUSTER', 'NODES')))),
    ),
  );
  const [first] = views;
  const selves = views.map(({ self }) => self).sort();
  if (
    first?.slotCount !== SLOTS ||
    first.masters !== selves.join() ||
    views.some(({ slots }) => slots !== first.slots)
  ) {
    throw new Error('the masters do not agree who serves all slots');
  }
  return { ...first, isMoving: views.some(({ isMoving }) => isMoving) };
}

/** @param reply of CLUSTER NODES */
function viewOf(reply: string): View {
  const nodes = parseClusterNodes(reply);
  const serving = nodes
    .filter(({ slots }) => slots.length > 0)
    .sort((one, other) => (one.id < other.id ? -1 : 1));
  return {
    self: nodes.find(({ isMyself }) => isMyself)?.id ?? '',
    isMoving: nodes.some(({ isMoving }) => isMoving),
    slotCount: countSlots(serving.flatMap(({ slots }) => slots)),
    masters: serving.map(({ id }) => id).join(),
    slots: serving.map(({ id, slots }) => `${id} ${slots.join(' ')}`).join('\n'),
  };
}

function throwIfMissingRight(error: Error): void {
  if (isMissingRight(error)) {
    throw new MissingRightError(
      'Redis does not let this user list keys. Run the command as a Redis user with the right +scan as well.',
      { cause: error },
    );
  }
}
