import { Module } from '@nestjs/common';

import { ConfigurableModuleClass } from './redis-cluster.module-definition.js';
import { RedisCluster } from './redis-cluster.js';
import { RedisClusterHealth } from './redis-cluster.health.js';

/** One connection to one Redis Cluster for the whole application. Global unless `isGlobal: false`. */
@Module({
  providers: [RedisCluster, RedisClusterHealth],
  exports: [RedisCluster, RedisClusterHealth],
})
export class RedisClusterModule extends ConfigurableModuleClass {}
