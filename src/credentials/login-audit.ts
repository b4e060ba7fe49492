import type { AuditLog } from '../audit/index.js';
import type { Origin } from '../common/origin/index.js';

/*
 * The audit events of logins, for every kind of factor. For a login that a limit refuses, see `recordThrottling`.
 */

/** Records that a session has started. */
export function recordLogin(
  audit: AuditLog,
  { userId, sessionId }: { readonly userId: string; readonly sessionId: string },
  origin: Origin,
): void {
  const { facts } = origin.as(userId, sessionId);
  audit.record({ type: 'logged-in', result: 'success', userId, sessionId, ...facts });
}

/**
 * Records a login with wrong credentials. The event has the same members for known and unknown names, so that both take the
 * same time.
 *
 * @param userId the user of that name, if there is one
 */
export function recordRefusedLogin(
  audit: AuditLog,
  {
    userId,
    namePseudonym,
  }: { readonly userId: string | undefined; readonly namePseudonym: string },
  origin: Origin,
): void {
  audit.record({
    type: 'login-refused',
    result: 'refused',
    reason: 'wrong-credentials',
    userId,
    namePseudonym,
    ...origin.facts,
  });
}
