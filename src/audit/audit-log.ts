import { Inject, Injectable, Logger } from '@nestjs/common';

import type { AuditEvent } from './audit-event.js';
import { AUDIT_SINK, type AuditSink } from './audit-sink.js';
import { LogAuditSink } from './log-audit-sink.js';

/** Records what is worth knowing afterwards. */
@Injectable()
export class AuditLog {
  private readonly logger = new Logger(AuditLog.name);
  private readonly fallback = new LogAuditSink();

  constructor(@Inject(AUDIT_SINK) private readonly sink: AuditSink) {}

  /** Never throws: what the event tells has happened, and its caller has to hear so. */
  record(event: AuditEvent): void {
    try {
      Promise.resolve(this.sink.record(event, new Date())).catch((error: unknown) =>
        this.keep(event, error),
      );
    } catch (error) {
      this.keep(event, error);
    }
  }

  private keep(event: AuditEvent, error: unknown): void {
    this.logger.error({ err: error, msg: 'The audit sink failed. Its event is in the log.' });
    this.fallback.record(event);
  }
}
