export {
  REDIS_ADMINISTRATOR,
  aclFileLine,
  aclFileLines,
  aclSetUser,
  DEFAULT_USER_RULES,
  DIGEST_PLACEHOLDER,
  REDIS_REPLICA,
  type AclUser,
  type NodeUsers,
} from './acl.js';
export type { ChannelListener, ChannelSubscription } from './channel-subscription.js';
/** @internal For the embedded cluster, the doctor, and tests. */
export { countSlots, parseClusterNodes, SLOTS, type ClusterNode } from './cluster-nodes.js';
export { createRedisCluster } from './create-redis-cluster.js';
export { ClusterTime } from './cluster-time.js';
export { isReadOnlyShard } from './error-replies.js';
export { EvictionPolicy } from './eviction-policy.js';
export { KeyBuilder } from './key-builder.js';
export { LuaScript } from './lua-script.js';
export { NodeInspector, type Answer as NodeAnswer } from './node-inspector.js';
export { RedisCluster } from './redis-cluster.js';
export {
  MissingRightError,
  NotConfirmedError,
  RedisUnavailableError,
} from './redis-cluster.errors.js';
export {
  RedisClusterHealth,
  type RedisClusterReport,
  type RedisClusterState,
  type ReportedNode,
  type SingleCopyShard,
} from './redis-cluster.health.js';
export { RedisClusterModule } from './redis-cluster.module.js';
export type {
  NatMap,
  RedisClusterOptions,
  RedisIdentity,
  RedisNodeAddress,
  RedisTls,
} from './redis-cluster.options.js';
export { RedisDiagnosis } from './redis-diagnosis.js';
