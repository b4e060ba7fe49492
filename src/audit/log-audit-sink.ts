import { Injectable, Logger } from '@nestjs/common';

import type { AuditEvent } from './audit-event.js';
import type { AuditSink } from './audit-sink.js';

/** Writes events to the structured log, with the context `Audit`. The log adds the time. */
@Injectable()
export class LogAuditSink implements AuditSink {
  private readonly logger = new Logger('Audit');

  record(event: AuditEvent): void {
    this.logger.log({ audit: event });
  }
}
