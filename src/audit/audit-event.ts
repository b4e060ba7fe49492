/** What Keyslot itself finds worth knowing afterwards. When each one is written is said beside it. */
export type AuditEventType =
  /** Somebody registered. */
  | 'user-registered'
  /** A login yielded tokens. */
  | 'logged-in'
  /** A login was refused: unknown name, wrong password, or a disabled user. */
  | 'login-refused'
  /** A session was ended by its own token. */
  | 'logged-out'
  /** A session was ended from another one. */
  | 'session-ended'
  /** All sessions of a user were ended, but perhaps the one that asked for it. */
  | 'sessions-ended'
  /** An operator ended the sessions of all users. */
  | 'all-sessions-ended'
  /** A spent refresh token was presented again: somebody has a copy. Its session was ended. */
  | 'refresh-token-reused'
  | 'password-changed'
  /** Roles or the disabled state of a user were changed. */
  | 'access-changed'
  | 'user-deleted'
  /** A valid token lacked a permission. */
  | 'permission-refused';

export interface AuditEvent {
  /** One of Keyslot's own, or of the application's. */
  readonly type: AuditEventType | (string & {});
  /** Whom it concerns. */
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** Who did it, if somebody else. */
  readonly actorId?: string | undefined;
  /** Where the request came from. */
  readonly ip?: string | undefined;
  /** Further facts, none of them secret. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * What a listener in the same application is told of an audit event, by the name `keyslot.<type>`:
 * `@OnEvent('keyslot.user-registered')`, or `keyslot.*` for all. Once, in the instance where it happened, after it holds
 * everywhere; not again if that instance ends before the listener does. Nobody waits for it, and what it throws is logged.
 */
export interface DomainEvent extends AuditEvent {
  readonly at: Date;
}
