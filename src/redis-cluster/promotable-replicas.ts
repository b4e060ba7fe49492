import type { ClusterNode } from './cluster-nodes.js';

/**
 * A replica follows the new master within seconds. A master that is silent for longer than this had no slots, and nobody
 * replaces it.
 */
const ORPHAN_MS = 60_000;

/** The cluster as one of its nodes sees it: the reply to CLUSTER NODES. */
type View = readonly ClusterNode[];

/**
 * Counts the replicas that a failover could promote in place of a master, from what the masters say about it. Every election
 * needs the votes of a majority of the masters, and each voter lists the master as failed when it votes. So a majority that
 * does not list it as failed proves that it was not replaced before the majority was asked. Only the answers of this majority
 * count.
 *
 * @param masterId the master
 * @param listed ids of the replicas that the master itself lists. The others may not know yet that a node has become its replica
 * @param answers replies to CLUSTER NODES. Replies of nodes that are no master with slots are ignored
 * @returns undefined unless a majority of the masters says that the node leads a shard, and is not suspected
 */
export function countPromotableReplicas(
  masterId: string,
  listed: readonly string[],
  answers: readonly View[],
): number | undefined {
  const views = viewsOfMasters(answers);
  const masters = Math.max(0, ...views.map((view) => view.filter(isLeader).length));
  const isMajority = (some: readonly View[]): boolean => some.length > masters / 2;
  const agreeing = views.filter((view) =>
    view.some((node) => node.id === masterId && isLeader(node) && node.isUp),
  );
  if (!isMajority(agreeing)) {
    return undefined;
  }
  const promotable = agreeing.flatMap((view) =>
    view.filter((node) => isPromotable(node, masterId, view)).map(({ id }) => id),
  );
  const isLeftOut = (id: string): boolean =>
    isMajority(agreeing.filter((view) => cannotReplace(id, masterId, view)));
  return [...new Set([...listed, ...promotable])].filter((id) => !isLeftOut(id)).length;
}

/** At most one view of each node. */
function viewsOfMasters(answers: readonly View[]): readonly View[] {
  const views = new Map<string, View>();
  for (const view of answers) {
    const own = view.find(({ isMyself }) => isMyself);
    if (own && isLeader(own)) {
      views.set(own.id, view);
    }
  }
  return [...views.values()];
}

function isLeader({ isMaster, slots }: ClusterNode): boolean {
  return isMaster && slots.length > 0;
}

function isPromotable(node: ClusterNode, masterId: string, view: View): boolean {
  return node.isReplica && !node.isFailed && (node.masterId === masterId || isOrphan(node, view));
}

/** Whether a node has failed, or is a replica in another shard. */
function cannotReplace(id: string, masterId: string, view: View): boolean {
  const node = view.find((one) => one.id === id);
  const follows = (leader: ClusterNode): boolean =>
    leader.id !== masterId && leader.id === node?.masterId && isLeader(leader);
  return node !== undefined && (node.isFailed || view.some(follows));
}

/**
 * Whether the master of a replica was replaced a short time ago. Until the replica follows the new master, no node lists it
 * there. It counts for every master, because nobody says which one it will follow.
 */
function isOrphan(replica: ClusterNode, view: View): boolean {
  const master = view.find(({ id }) => id === replica.masterId);
  if (!master || master.isReplica) {
    return true;
  }
  const now = Math.max(...view.map(({ heardAt }) => heardAt));
  return master.isFailed && !isLeader(master) && now - master.heardAt < ORPHAN_MS;
}
