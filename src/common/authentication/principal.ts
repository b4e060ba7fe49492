/** Who makes a request, as the guard has found it. */
export interface Principal {
  readonly userId: string;
  readonly sessionId: string;
  /** The token's own id, `jti`. */
  readonly tokenId: string;
  readonly user: AuthenticatedUser;
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
