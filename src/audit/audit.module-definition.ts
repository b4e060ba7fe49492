import { configurableModule } from '../common/configurable-module/index.js';
import type { AuditOptions } from './audit.options.js';
import { AUDIT_SINK, type AuditSink } from './audit-sink.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: AUDIT_OPTIONS } = configurableModule<
  AuditOptions,
  { sink: AuditSink }
>('Audit', { sink: AUDIT_SINK });
