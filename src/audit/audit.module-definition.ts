import { configurableModule } from '../common/module/index.js';
import { AUDIT_SINK, type AuditSink } from './audit-sink.js';

export const { ConfigurableModuleClass } = configurableModule<object, { sink: AuditSink }>(
  'Audit',
  {
    sink: AUDIT_SINK,
  },
);
