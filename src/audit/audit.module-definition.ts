import { configurableModule } from '../common/configurable-module/index.js';
import type { AuditOptions } from './audit.options.js';
import { AUDIT_SINK, type AuditSink } from './audit-sink.js';
import { AUDIT_TRAIL, type AuditTrail } from './trail/audit-trail.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: AUDIT_OPTIONS } = configurableModule<
  AuditOptions,
  { sink: AuditSink; trail: AuditTrail }
>('Audit', { sink: AUDIT_SINK, trail: AUDIT_TRAIL });
