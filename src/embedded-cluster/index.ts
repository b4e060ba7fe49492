export { EmbeddedCluster, type EmbeddedClusterOptions } from './embedded-cluster.js';
export { EmbeddedClusterError } from './embedded-cluster.error.js';
