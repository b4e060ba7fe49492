import { Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';

import { PERMISSION_REFUSALS } from '../common/authentication/index.js';
import { Clock, ClockModule } from '../common/clock/index.js';
import { MetricsRegistry } from '../metrics/registry/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import { AuditLog } from './audit-log.js';
import { AUDIT_SINK } from './audit-sink.js';
import { AuditedPermissionRefusals } from './audited-permission-refusals.js';
import { AUDIT_OPTIONS, ConfigurableModuleClass } from './audit.module-definition.js';
import { AUDIT_DEFAULTS, type AuditOptions } from './audit.options.js';
import { LogAuditSink } from './log-audit-sink.js';
import { AUDIT_TRAIL, type AuditTrail } from './trail/audit-trail.js';
import { RedisAuditTrail } from './trail/redis-audit-trail.js';
import { TrailController } from './trail/trail.controller.js';
import { registerTrailMetrics } from './trail/trail.metrics.js';
import { TrailQueue } from './trail/trail-queue.js';
import { TrailReading } from './trail/trail-reading.js';
import { TrailStore } from './trail/trail-store.js';

/**
 * Records audit events. The option `sink` replaces their destination, and `trail` what lists them. Listeners receive them too, see
 * `DomainEvent`. The trail needs RedisClusterModule and MetricsModule in the same application; without them there is none.
 */
@Module({
  imports: [EventEmitterModule.forRoot({ wildcard: true }), ClockModule],
  controllers: [TrailController],
  providers: [
    AuditLog,
    TrailReading,
    { provide: AUDIT_SINK, useClass: LogAuditSink },
    {
      provide: AUDIT_TRAIL,
      inject: [AUDIT_OPTIONS, { token: RedisCluster, optional: true }],
      useFactory: (options: AuditOptions, redis?: RedisCluster): AuditTrail | undefined => {
        const { retentionSeconds, maxEventsPerType } = { ...AUDIT_DEFAULTS, ...options };
        const retentionMs = retentionSeconds * 1000;
        return redis && retentionMs > 0
          ? new RedisAuditTrail(new TrailStore(redis, { retentionMs, maxEventsPerType }))
          : undefined;
      },
    },
    {
      provide: TrailQueue,
      inject: [AUDIT_TRAIL, Clock, { token: MetricsRegistry, optional: true }],
      useFactory: (
        trail: AuditTrail | undefined,
        clock: Clock,
        registry?: MetricsRegistry,
      ): TrailQueue | undefined => {
        // A trail of the application has its events from the sink.
        if (!(trail instanceof RedisAuditTrail)) {
          return undefined;
        }
        const queue = new TrailQueue(trail.store, clock);
        if (registry) {
          registerTrailMetrics(registry, queue);
        }
        return queue;
      },
    },
    { provide: PERMISSION_REFUSALS, useClass: AuditedPermissionRefusals },
  ],
  exports: [AuditLog, AUDIT_SINK, PERMISSION_REFUSALS],
})
export class AuditModule extends ConfigurableModuleClass {}
