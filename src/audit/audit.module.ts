import { Module } from '@nestjs/common';

import { AuditLog } from './audit-log.js';
import { AUDIT_SINK } from './audit-sink.js';
import { ConfigurableModuleClass } from './audit.module-definition.js';
import { LogAuditSink } from './log-audit-sink.js';

/** Who did what, and when. `sink` replaces where that goes. */
@Module({
  providers: [AuditLog, { provide: AUDIT_SINK, useClass: LogAuditSink }],
  exports: [AuditLog, AUDIT_SINK],
})
export class AuditModule extends ConfigurableModuleClass {}
