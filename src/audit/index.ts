export type { AuditEvent, AuditEventType, DomainEvent } from './audit-event.js';
export { AuditLog } from './audit-log.js';
export { AUDIT_SINK, type AuditSink } from './audit-sink.js';
export { AuditModule } from './audit.module.js';
