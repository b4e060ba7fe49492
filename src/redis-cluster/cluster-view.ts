import { parseClusterNodes, type ClusterNode } from './cluster-nodes.js';

/** What a view has to know of each node. */
export type NodeInView = Pick<ClusterNode, 'id' | 'isUp' | 'isReplica' | 'slots'>;

/** The cluster as one of its nodes sees it. */
export interface ClusterView {
  /** Whose view it is. */
  readonly id: string | undefined;
  /** Whether this node takes the cluster for one that serves. In the minority of a split it does not. */
  readonly isServing: boolean;
  /** Grows with every failover: the higher one knows more. */
  readonly epoch: number;
  readonly nodes: readonly NodeInView[];
}

/**
 * @param info the reply of CLUSTER INFO
 * @param nodes the reply of CLUSTER NODES
 */
export function parseClusterView(info: string, nodes: string): ClusterView {
  const all = parseClusterNodes(nodes);
  return {
    id: all.find(({ isMyself }) => isMyself)?.id,
    isServing: isServing(info),
    epoch: Number(/cluster_current_epoch:(\d+)/.exec(info)?.[1] ?? 0),
    nodes: all,
  };
}

/** @param info the reply of CLUSTER INFO. A node that was left behind by its cluster answers, and does not serve */
export function isServing(info: string): boolean {
  return info.includes('cluster_state:ok');
}
