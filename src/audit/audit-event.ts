import type { Actor, OriginFacts } from '../common/origin/index.js';

/** The audit events of Keyslot and their meaning. A test compares the list with docs/audit.md. */
export const AUDIT_EVENTS = {
  'user-registered': 'A user was created.',
  'registration-refused': 'A registration was refused: it is closed, or the name is taken.',
  'logged-in': 'A login returned tokens.',
  'login-refused': 'A login was refused: unknown name, wrong password, or a disabled user.',
  'second-factor-required': 'The password of a login was right, and a second factor is required.',
  'second-factor-refused':
    'A code at the second step of a login, or of a reauthentication, was wrong.',
  'factor-added': 'A user confirmed a second factor. All other sessions ended.',
  'factor-removed': 'A second factor was removed. All other sessions ended.',
  'factors-removed': 'An administrator removed all second factors of a user. All sessions ended.',
  'recovery-codes-created': 'A user created new recovery codes. The former ones no longer count.',
  'recovery-code-used': 'A recovery code was used.',
  reauthenticated: 'The user of a session proved again who they are.',
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
  'password-reset-requested': 'A mail with a link for a new password was requested.',
  'password-reset': 'A user has set a new password with a link from a mail.',
  'email-change-requested': 'A user has requested a new e-mail address, which must be confirmed.',
  'email-verified': 'A user has confirmed an e-mail address with a link from a mail.',
  'one-time-token-refused': 'A token of a link was refused: it is unknown, spent or too old.',
  'profile-changed': 'The e-mail address or the displayed name of a user was changed.',
  'access-changed': 'Roles or the disabled state of a user were changed.',
  'user-deleted': 'A user was deleted.',
  'role-changed': 'A role was stored: it is new, or replaces a role.',
  'role-deleted': 'A stored role was deleted.',
  'service-account-created': 'A service account was created.',
  'service-account-changed': 'A service account was changed: its name, access, state or keys.',
  'service-account-deleted': 'A service account was deleted.',
  'client-secret-created': 'A secret of a service account was created.',
  'client-secret-deleted': 'A secret of a service account was deleted.',
  'client-token-issued': 'A service account received an access token.',
  'client-refused': 'The credentials of a service account were refused.',
  'token-revoked': 'An access token was revoked; its session, if it has one, stays live.',
  'users-listed': 'An administrator read a page of the users.',
  'users-imported': 'An operator imported users.',
  'users-exported': 'An operator exported all users.',
  'user-read': 'An administrator read a user.',
  'audit-read': 'An administrator read a page of the audit trail.',
  'sessions-read': 'An administrator read the sessions of a user.',
  'factors-read': 'An administrator read the second factors of a user.',
  'permission-refused': 'A valid token lacked a permission, or a rule forbade the action.',
  'signing-key-created':
    'A signing key was created: the first one of the cluster, or its successor.',
  'signing-key-activated': 'A new signing key replaced the former one, which only verifies now.',
  'signing-key-withdrawn': 'An operator withdrew a signing key: no instance accepts its tokens.',
} as const;

export type AuditEventType = keyof typeof AUDIT_EVENTS;

/** `refused`: a rule prevented it. `failure`: it failed or was not confirmed. */
export type AuditResult = 'success' | 'failure' | 'refused';

export interface AuditEvent {
  /** An event type of Keyslot or of the application. */
  readonly type: AuditEventType | (string & {});
  readonly result?: AuditResult | undefined;
  /** Reason of a result other than success: a code from docs/audit.md. */
  readonly reason?: string | undefined;
  /** The affected user. */
  readonly userId?: string | undefined;
  /** The affected service account. */
  readonly clientId?: string | undefined;
  /** Pseudonym of the user name in the request, see `AuditLog.pseudonymOf`. */
  readonly namePseudonym?: string | undefined;
  /** The affected session, which was created, refreshed or ended. */
  readonly sessionId?: string | undefined;
  readonly actor?: Actor | undefined;
  readonly actorId?: string | undefined;
  readonly actorSessionId?: string | undefined;
  /** Address of the client. */
  readonly ip?: string | undefined;
  /** Id of the request, as in the response and in the log. */
  readonly requestId?: string | undefined;
  /** Additional data without secrets. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Members that are required in Keyslot's own events. */
export interface RequiredFacts extends OriginFacts {
  readonly result: AuditResult;
}

/** An event of Keyslot whose result is not known yet. */
export type PendingEvent = Omit<AuditEvent, 'result' | 'reason'> &
  OriginFacts & { readonly type: AuditEventType };

/**
 * An audit event as delivered to listeners in the same application: `@OnEvent('keyslot.user-registered')`, or `keyslot.*` for
 * all. Delivery is best effort and at most once, in the instance where the event occurred, after the change took effect on
 * all instances. Requests do not wait for listeners, and errors of listeners are logged.
 */
export interface DomainEvent extends AuditEvent {
  readonly at: Date;
}
