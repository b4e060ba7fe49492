import type { Permission } from './permissions.js';

/** Who makes a request, as the guard has found it. */
export type Principal = UserPrincipal | ClientPrincipal;

/** A user, in one of the user's sessions. */
export interface UserPrincipal {
  readonly kind: 'user';
  readonly userId: string;
  readonly sessionId: string;
  /** The token's own id, `jti`. */
  readonly tokenId: string;
  readonly user: AuthenticatedUser;
}

/** A service account that acts for itself (RFC 6749 section 4.4). It has no session. */
export interface ClientPrincipal {
  readonly kind: 'client';
  /** `client_id`, and `sub`, of its tokens. */
  readonly clientId: string;
  /** The token's own id, `jti`. */
  readonly tokenId: string;
  /** At the moment of the request; never what an older token says. */
  readonly permissions: readonly Permission[];
}

/** The user at the moment of the request; never what an older token says. */
export interface AuthenticatedUser {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly roles: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
