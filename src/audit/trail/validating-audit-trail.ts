import type { Deadline } from '../../common/deadline/index.js';
import { pageFault } from '../../common/paging/index.js';
import { callPort } from '../../common/port-call/index.js';
import {
  AuditTrailError,
  AuditTrailUnavailableError,
  type AuditTrail,
  type TrailEvent,
  type TrailPage,
  type TrailQuery,
} from './audit-trail.js';

const ERRORS = {
  port: 'the audit trail',
  Unavailable: AuditTrailUnavailableError,
  Fault: AuditTrailError,
};

/**
 * Protects Keyslot from defects of the application's `AuditTrail`. It ends calls at the deadline, checks the returned page, and
 * keeps rows out of errors.
 */
export class ValidatingAuditTrail implements AuditTrail {
  constructor(private readonly trail: AuditTrail) {}

  /** @throws AuditTrailUnavailableError, AuditTrailError */
  async list(
    query: TrailQuery,
    after: string | undefined,
    limit: number,
    deadline: Deadline,
  ): Promise<TrailPage | undefined> {
    const page = await callPort(ERRORS, deadline, [], () =>
      this.trail.list(query, after, limit, deadline),
    );
    return page && validatePage(page, limit);
  }
}

/** Names what is wrong, not the values. */
function validatePage({ events, next }: TrailPage, limit: number): TrailPage {
  const fault = pageFault(events, next, limit);
  if (fault !== undefined) {
    throw new AuditTrailError(`the trail ${fault}`);
  }
  if (!events.every(isEvent)) {
    throw new AuditTrailError('the trail returned an event without id, type or time');
  }
  return { events, next: next ?? undefined };
}

function isEvent(event: TrailEvent | null): boolean {
  const { id, type, at } = event ?? ({} as Partial<TrailEvent>);
  return (
    typeof id === 'string' &&
    typeof type === 'string' &&
    at instanceof Date &&
    !Number.isNaN(at.getTime())
  );
}
