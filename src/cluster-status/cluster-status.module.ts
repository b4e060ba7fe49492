import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { HealthModule } from '../health/index.js';
import { CallerStreams } from './caller-streams.js';
import { CallerWatch } from './caller-watch.js';
import { ClusterEvents } from './cluster-events.js';
import { ClusterStatus } from './cluster-status.js';
import { ClusterController } from './cluster.controller.js';
import { UserHoldersController } from './user-holders.controller.js';

/** The routes that show operators the state of the cluster. Needs NearCacheModule and GuardModule in the same application. */
@Module({
  imports: [ClockModule, HealthModule],
  controllers: [ClusterController, UserHoldersController],
  providers: [CallerStreams, CallerWatch, ClusterStatus, ClusterEvents],
})
export class ClusterStatusModule {}
