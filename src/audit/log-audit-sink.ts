import { Injectable, Logger } from '@nestjs/common';

import type { AuditEvent } from './audit-event.js';
import type { AuditSink } from './audit-sink.js';

/** Entries of the structured log, in the context `Audit`. The log tells the time itself. */
@Injectable()
export class LogAuditSink implements AuditSink {
  private readonly logger = new Logger('Audit');

  record(event: AuditEvent): void {
    this.logger.log({ audit: event });
  }
}
