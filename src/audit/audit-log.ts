import { Injectable, Logger } from '@nestjs/common';

import type { AuditEvent } from './audit-event.js';

/** Records what is worth knowing afterwards, as entries of the structured log in the context `Audit`. */
@Injectable()
export class AuditLog {
  private readonly logger = new Logger('Audit');

  record(event: AuditEvent): void {
    this.logger.log({ audit: event });
  }
}
