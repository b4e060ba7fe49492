export { ClusterStatusModule } from './cluster-status.module.js';
