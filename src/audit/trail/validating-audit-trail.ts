import type { Deadline } from '../../common/deadline/index.js';
import { textBetween } from '../../common/validation/index.js';
import {
  AuditTrailError,
  AuditTrailUnavailableError,
  CURSOR_MAX_LENGTH,
  type AuditTrail,
  type TrailEvent,
  type TrailPage,
  type TrailQuery,
} from './audit-trail.js';

const isCursor = textBetween(1, CURSOR_MAX_LENGTH);

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
    const onTimeout = (): Error => new AuditTrailUnavailableError('no answer before the deadline');
    if (deadline.hasPassed) {
      throw onTimeout();
    }
    let page: TrailPage | undefined;
    try {
      page = await deadline.limit(this.trail.list(query, after, limit, deadline), onTimeout);
    } catch (error) {
      throw error instanceof AuditTrailUnavailableError ? error : withoutRows(error);
    }
    return page && validatePage(page, limit);
  }
}

/** Database drivers put rows and parameters into further members of their errors. */
function withoutRows(error: unknown): AuditTrailError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const cleaned = new AuditTrailError(`${name}: ${message}`);
  if (stack !== undefined) {
    cleaned.stack = stack;
  }
  return cleaned;
}

/** Names what is wrong, not the values. */
function validatePage({ events, next }: TrailPage, limit: number): TrailPage {
  if (!Array.isArray(events)) {
    throw new AuditTrailError('the trail returned a page without a list of events');
  }
  if (events.length > limit) {
    throw new AuditTrailError(`the trail returned ${events.length} events for a limit of ${limit}`);
  }
  if (!events.every(isEvent)) {
    throw new AuditTrailError('the trail returned an event without id, type or time');
  }
  if ((next ?? undefined) !== undefined && isCursor(next)) {
    throw new AuditTrailError(
      `the trail returned an invalid cursor: 1 to ${CURSOR_MAX_LENGTH} printable characters are allowed`,
    );
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
