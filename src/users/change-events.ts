import type { AuditLog, PendingEvent } from '../audit/index.js';
import type { Origin } from '../common/origin/index.js';
import type { UserChange } from './user.js';

/**
 * The events of a change of a user. They contain the new roles and states. Of the rest of the profile they contain only the
 * names of the changed members, not the values.
 */
export function changeEvents(
  userId: string,
  { roles, disabled, ...profile }: UserChange,
  origin: Origin,
): PendingEvent[] {
  const subject = { userId, ...origin.facts };
  const hasAccess = roles !== undefined || disabled !== undefined;
  const { emailVerified } = profile;
  const members = Object.entries(profile).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  return [
    ...(hasAccess
      ? [{ ...subject, type: 'access-changed' as const, details: { roles, disabled } }]
      : []),
    ...(members.length > 0
      ? [{ ...subject, type: 'profile-changed' as const, details: { members, emailVerified } }]
      : []),
  ];
}

/** Records that a rule refused a change or deletion of this user, although the caller has the permission of the route. */
export function recordRefusedAdministration(
  audit: AuditLog,
  userId: string,
  refusal: {
    readonly reason:
      | 'own-access'
      | 'beyond-own-permissions'
      | 'last-administrator'
      | 'reauthentication-required'
      | 'unlimited-token-required';
    readonly details?: Readonly<Record<string, unknown>>;
  },
  origin: Origin,
): void {
  const event = { type: 'permission-refused', result: 'refused', userId } as const;
  audit.record({ ...event, ...refusal, ...origin.facts });
}
