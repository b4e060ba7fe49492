import type { AuditLog, PendingEvent } from '../audit/index.js';
import type { Origin } from '../common/origin/index.js';
import type { UserChange } from './user.js';

/** What a change of a user is recorded as: the new access, and the names, not the values, of what is new in the profile. */
export function changeEvents(
  userId: string,
  { roles, disabled, ...profile }: UserChange,
  origin: Origin,
): PendingEvent[] {
  const subject = { userId, ...origin.facts };
  const hasAccess = roles !== undefined || disabled !== undefined;
  const members = Object.entries(profile).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  return [
    ...(hasAccess
      ? [{ ...subject, type: 'access-changed' as const, details: { roles, disabled } }]
      : []),
    ...(members.length > 0
      ? [{ ...subject, type: 'profile-changed' as const, details: { members } }]
      : []),
  ];
}

/** Records that a rule kept a caller, whose permissions allow it, from changing or deleting this user. */
export function recordRefusedAdministration(
  audit: AuditLog,
  userId: string,
  refusal: {
    readonly reason:
      'own-access' | 'beyond-own-permissions' | 'last-administrator' | 'reauthentication-required';
    readonly details?: Readonly<Record<string, unknown>>;
  },
  origin: Origin,
): void {
  const event = { type: 'permission-refused', result: 'refused', userId } as const;
  audit.record({ ...event, ...refusal, ...origin.facts });
}
