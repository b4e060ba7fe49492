export {
  AUDIT_EVENTS,
  type AuditEvent,
  type AuditEventType,
  type AuditResult,
  type DomainEvent,
  type PendingEvent,
} from './audit-event.js';
export { AuditLog, type RecordedEvent } from './audit-log.js';
export { AUDIT_SINK, type AuditSink } from './audit-sink.js';
export { AuditModule } from './audit.module.js';
export { AUDIT_DEFAULTS, type AuditOptions } from './audit.options.js';
export {
  AUDIT_TRAIL,
  AuditTrailUnavailableError,
  type AuditTrail,
  type TrailEvent,
  type TrailPage,
  type TrailQuery,
} from './trail/audit-trail.js';
