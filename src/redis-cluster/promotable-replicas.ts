import type { ClusterNode } from './cluster-nodes.js';

/**
 * Counts the replicas that a failover could promote in place of a master, from what the masters say about it. Every election
 * needs the votes of a majority of the masters, and each voter lists the master as failed when it votes. So a majority that
 * does not list it as failed proves that it was not replaced before the majority was asked.
 *
 * @param masterId the master
 * @param answers replies to CLUSTER NODES. Replies of nodes that are no master with slots are ignored
 * @returns undefined unless a majority of the masters says that the node leads a shard, and is not suspected
 */
export function countPromotableReplicas(
  masterId: string,
  answers: readonly (readonly ClusterNode[])[],
): number | undefined {
  const views = viewsOfMasters(answers);
  const masters = Math.max(0, ...views.map((view) => view.filter(isLeader).length));
  const isMajority = (agreeing: readonly unknown[]): boolean => agreeing.length > masters / 2;
  const leads = (view: readonly ClusterNode[]): boolean =>
    view.some((node) => node.id === masterId && isLeader(node) && node.isUp);
  if (!isMajority(views.filter(leads))) {
    return undefined;
  }
  const replicas = new Set(
    views.flatMap((view) => view.filter((node) => node.masterId === masterId)).map(({ id }) => id),
  );
  const cannotBePromoted = (id: string): boolean =>
    isMajority(
      views.filter((view) =>
        view.some((node) => node.id === id && (node.isFailed || node.masterId !== masterId)),
      ),
    );
  return [...replicas].filter((id) => !cannotBePromoted(id)).length;
}

/** At most one view of each node. */
function viewsOfMasters(
  answers: readonly (readonly ClusterNode[])[],
): readonly (readonly ClusterNode[])[] {
  const views = new Map<string, readonly ClusterNode[]>();
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
