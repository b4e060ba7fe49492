import type { Actor, OriginFacts } from '../common/origin/index.js';

/** The events that Keyslot records, and when. docs/audit.md has the same list; a test compares them. */
export const AUDIT_EVENTS = {
  'user-registered': 'A user was created.',
  'registration-refused': 'A registration was refused: it is closed, or the name is taken.',
  'logged-in': 'A login returned tokens.',
  'login-refused': 'A login was refused: unknown name, wrong password, or a disabled user.',
  'tokens-refreshed': 'A refresh token was exchanged for new tokens.',
  'refresh-refused': 'A refresh token was refused: it is unknown, or its session has ended.',
  'refresh-token-reused': 'A spent refresh token was used again: somebody may have a copy.',
  'logged-out': 'A session was ended with its own token.',
  'session-ended': 'A session was ended from another session.',
  'sessions-ended': 'All sessions of a user were ended, except perhaps the requesting one.',
  'all-sessions-ended': 'An operator ended the sessions of all users.',
  'password-changed': 'A user has a new password.',
  'password-refused': 'A logged-in user sent a wrong current password.',
  'attempt-throttled': 'A limit or a full password queue refused an attempt without a check.',
  'profile-changed': 'The e-mail address or the displayed name of a user was changed.',
  'access-changed': 'Roles or the disabled state of a user were changed.',
  'user-deleted': 'A user was deleted.',
  'user-read': 'An administrator read a user.',
  'sessions-read': 'An administrator read the sessions of a user.',
  'permission-refused': 'A valid token lacked a permission, or a rule forbade the action.',
  'signing-key-created': 'The cluster had no signing key, and this instance created it.',
} as const;

export type AuditEventType = keyof typeof AUDIT_EVENTS;

/** `refused`: a rule said no. `failure`: it could not be done. */
export type AuditResult = 'success' | 'failure' | 'refused';

export interface AuditEvent {
  /** One of Keyslot's own, or of the application's. */
  readonly type: AuditEventType | (string & {});
  /** How it ended. */
  readonly result?: AuditResult | undefined;
  /** Why, if not with success: a word from docs/audit.md. */
  readonly reason?: string | undefined;
  /** Whom it concerns. */
  readonly userId?: string | undefined;
  /** Stands for the name that was given, see `AuditLog.pseudonymOf`. */
  readonly namePseudonym?: string | undefined;
  /** The session that it concerns: it began, went on, or ended. */
  readonly sessionId?: string | undefined;
  readonly actor?: Actor | undefined;
  /** Who did it. */
  readonly actorId?: string | undefined;
  /** The session in which it was asked for. */
  readonly actorSessionId?: string | undefined;
  /** Where the request came from. */
  readonly ip?: string | undefined;
  /** The request, as in the answer and in the log. */
  readonly requestId?: string | undefined;
  /** Further facts, none of them secret. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** What an event of Keyslot's own must say as well. */
export interface RequiredFacts extends OriginFacts {
  readonly result: AuditResult;
}

/** An event of Keyslot's own, before its result is known. */
export type PendingEvent = Omit<AuditEvent, 'result' | 'reason'> &
  OriginFacts & { readonly type: AuditEventType };

/**
 * What a listener in the same application is told of an audit event, by the name `keyslot.<type>`:
 * `@OnEvent('keyslot.user-registered')`, or `keyslot.*` for all. Once, in the instance where it happened, after it holds
 * everywhere; not again if that instance ends before the listener does. Nobody waits for it, and what it throws is logged.
 */
export interface DomainEvent extends AuditEvent {
  readonly at: Date;
}
