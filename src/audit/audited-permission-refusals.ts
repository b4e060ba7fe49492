import { Injectable } from '@nestjs/common';

import type { PermissionRefusal, PermissionRefusals } from '../common/authentication/index.js';
import { AuditLog } from './audit-log.js';

@Injectable()
export class AuditedPermissionRefusals implements PermissionRefusals {
  constructor(private readonly audit: AuditLog) {}

  record({ principal, reason, required, origin }: PermissionRefusal): void {
    this.audit.record({
      type: 'permission-refused',
      result: 'refused',
      reason,
      userId: principal.kind === 'user' ? principal.userId : undefined,
      ...origin.facts,
      details: reason === 'missing-permission' ? { required } : undefined,
    });
  }
}
