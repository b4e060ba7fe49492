import { configurableModule } from '../common/configurable-module/index.js';
import type { RedisClusterOptions } from './redis-cluster.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: REDIS_CLUSTER_OPTIONS } =
  configurableModule<RedisClusterOptions>('RedisCluster');
