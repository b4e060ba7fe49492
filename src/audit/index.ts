export type { AuditEvent, AuditEventType } from './audit-event.js';
export { AuditLog } from './audit-log.js';
export { AuditModule } from './audit.module.js';
