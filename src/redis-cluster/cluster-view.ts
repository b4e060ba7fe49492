import { parseClusterNodes, type ClusterNode } from './cluster-nodes.js';

/** The properties of a node that a view needs. */
export type NodeInView = Pick<
  ClusterNode,
  'id' | 'host' | 'port' | 'isUp' | 'isReplica' | 'masterId' | 'heardAt' | 'slots'
>;

/** The cluster as one of its nodes sees it. */
export interface ClusterView {
  /** The id of the node whose view this is. */
  readonly id: string | undefined;
  /** Whether this node reports that the cluster serves. A node in the minority of a partition does not. */
  readonly isServing: boolean;
  /** Increases with every failover: the view with the highest epoch is the newest. */
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

/** @param info the reply of CLUSTER INFO. A node that has lost its cluster still replies, but does not serve */
export function isServing(info: string): boolean {
  return info.includes('cluster_state:ok');
}
