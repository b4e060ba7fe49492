import { Global, Module } from '@nestjs/common';

import { AuditLog } from './audit-log.js';

/** Who did what, and when. */
@Global()
@Module({ providers: [AuditLog], exports: [AuditLog] })
export class AuditModule {}
