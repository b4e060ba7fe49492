import type { Redis } from 'ioredis';

import { Deadline } from '../common/deadline/index.js';
import { parseClusterNodes, type ClusterNode } from './cluster-nodes.js';
import { countPromotableReplicas } from './promotable-replicas.js';

/** A silent master must not delay a write for longer. */
const REPLY_TIMEOUT_MS = 300;

/** Sends a command to a node. @throws Error when no reply comes in time */
export type AskNode = (
  node: Redis,
  command: readonly [string, ...string[]],
  timeoutMs: number,
) => Promise<unknown>;

/** Asks all masters about one of them. */
export class MasterMajority {
  constructor(
    private readonly masters: () => readonly Redis[],
    private readonly ask: AskNode,
  ) {}

  /**
   * Asks every master now. It returns as soon as a majority has answered with at most `enough` replicas, and otherwise when
   * every master has answered or is late.
   *
   * @param masterId the node id of the master in question
   * @param listed ids of the replicas that this master lists
   * @param timeoutMs later answers do not count: since the write, an election must not have had the time to end
   * @returns the number of replicas that a failover could promote in its place; undefined when no majority says that it leads
   */
  async promotableReplicas(
    masterId: string,
    listed: readonly string[],
    enough: number,
    timeoutMs: number,
  ): Promise<number | undefined> {
    const views: ClusterNode[][] = [];
    const deadline = Deadline.after(Math.min(REPLY_TIMEOUT_MS, timeoutMs));
    let count: number | undefined;
    const questions = this.masters().map(async (master) => {
      const reply = await this.ask(master, ['CLUSTER', 'NODES'], deadline.remainingMs);
      // The timer may be late, after a pause of this process.
      if (deadline.hasPassed) {
        throw new Error('the answer is late');
      }
      views.push(parseClusterNodes(String(reply)));
      count = countPromotableReplicas(masterId, listed, views);
      if (count === undefined || count > enough) {
        throw new Error('not enough answers yet');
      }
    });
    await Promise.any(questions).catch(() => undefined);
    return count;
  }
}
