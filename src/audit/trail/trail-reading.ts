import { Inject, Injectable, Optional } from '@nestjs/common';

import type { Deadline } from '../../common/deadline/index.js';
import type { Origin } from '../../common/origin/index.js';
import { AuditLog } from '../audit-log.js';
import { AUDIT_TRAIL, type AuditTrail, type TrailPage, type TrailQuery } from './audit-trail.js';
import { RedisAuditTrail } from './redis-audit-trail.js';
import { ValidatingAuditTrail } from './validating-audit-trail.js';

export type TrailOutcome =
  | ({ readonly outcome: 'listed' } & TrailPage)
  | { readonly outcome: 'unknown-cursor' }
  | { readonly outcome: 'audit-trail-not-supported' };

/** Lists the audit trail, and records an audit event for each page: who reads the trail can learn who does what, and where from. */
@Injectable()
export class TrailReading {
  private readonly trail: AuditTrail | undefined;

  constructor(
    private readonly audit: AuditLog,
    @Optional() @Inject(AUDIT_TRAIL) trail?: AuditTrail,
  ) {
    const isOurs = trail === undefined || trail instanceof RedisAuditTrail;
    this.trail = isOurs ? trail : new ValidatingAuditTrail(trail);
  }

  /** @throws RedisUnavailableError, AuditTrailUnavailableError, AuditTrailError */
  async list(
    query: TrailQuery,
    after: string | undefined,
    limit: number,
    origin: Origin,
    deadline: Deadline,
  ): Promise<TrailOutcome> {
    if (!this.trail) {
      return { outcome: 'audit-trail-not-supported' };
    }
    const page = await this.trail.list(query, after, limit, deadline);
    if (!page) {
      return { outcome: 'unknown-cursor' };
    }
    const { userId, type } = query;
    const details = { events: page.events.length, type };
    this.audit.record({ type: 'audit-read', result: 'success', userId, ...origin.facts, details });
    return { outcome: 'listed', ...page };
  }
}
