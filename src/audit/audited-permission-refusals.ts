import { Injectable } from '@nestjs/common';

import type { PermissionRefusal, PermissionRefusals } from '../common/authentication/index.js';
import { AuditLog } from './audit-log.js';

@Injectable()
export class AuditedPermissionRefusals implements PermissionRefusals {
  constructor(private readonly audit: AuditLog) {}

  record({ principal, required, origin }: PermissionRefusal): void {
    this.audit.record({
      type: 'permission-refused',
      result: 'refused',
      reason: 'missing-permission',
      userId: principal.kind === 'user' ? principal.userId : undefined,
      ...origin.facts,
      details: { required },
    });
  }
}
