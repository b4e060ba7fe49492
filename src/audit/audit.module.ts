import { Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';

import { PERMISSION_REFUSALS } from '../common/authentication/index.js';
import { AuditLog } from './audit-log.js';
import { AUDIT_SINK } from './audit-sink.js';
import { AuditedPermissionRefusals } from './audited-permission-refusals.js';
import { ConfigurableModuleClass } from './audit.module-definition.js';
import { LogAuditSink } from './log-audit-sink.js';

/** Records audit events. The option `sink` replaces their destination. Listeners receive them too, see `DomainEvent`. */
@Module({
  imports: [EventEmitterModule.forRoot({ wildcard: true })],
  providers: [
    AuditLog,
    { provide: AUDIT_SINK, useClass: LogAuditSink },
    { provide: PERMISSION_REFUSALS, useClass: AuditedPermissionRefusals },
  ],
  exports: [AuditLog, AUDIT_SINK, PERMISSION_REFUSALS],
})
export class AuditModule extends ConfigurableModuleClass {}
