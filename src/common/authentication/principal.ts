import type { Permission } from './permissions.js';

/** The authenticated caller of a request. The guard sets it. */
export type Principal = UserPrincipal | ClientPrincipal;

/** A user with a session. */
export interface UserPrincipal {
  readonly kind: 'user';
  readonly userId: string;
  readonly sessionId: string;
  /** The token's own id, `jti`. */
  readonly tokenId: string;
  /** When the user logged in or reauthenticated, in seconds since the epoch. Absent in tokens of versions before 0.2. */
  readonly authTime?: number | undefined;
  readonly user: AuthenticatedUser;
  /** The permissions to which the token is limited. Absent: no limit. */
  readonly scope?: ReadonlySet<Permission>;
}

/** A service account that acts for itself (RFC 6749 section 4.4). It has no session. */
export interface ClientPrincipal {
  readonly kind: 'client';
  /** The claims `client_id` and `sub` of its tokens. */
  readonly clientId: string;
  /** The token's own id, `jti`. */
  readonly tokenId: string;
  /** The epoch of the account when the token was issued. The account accepts only tokens of its current epoch. */
  readonly epoch: number;
  /** When the token expires, in seconds since the epoch. Long-lived connections end then: a client gets another token. */
  readonly expiresAtSeconds: number;
  /** The current permissions, not those at the time when the token was issued. */
  readonly permissions: readonly Permission[];
}

/**
 * Who changes users, roles or service accounts: a user or a client, with its current permissions, or the application itself,
 * which may do everything.
 */
export type AdministrationCaller = Principal | 'system';

/** The current state of the user, not the state at the time when the token was issued. */
export interface AuthenticatedUser {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  /** The address that the user has confirmed. Only if it equals `email`, the current address is confirmed. Absent: none. */
  readonly verifiedEmail?: string | null | undefined;
  /** Whether the user has a second factor. Absent: nobody asked. Records that Keyslot stores always have it. */
  readonly hasSecondFactor?: boolean | undefined;
  readonly displayName: string | null;
  readonly roles: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
