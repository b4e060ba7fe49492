import type { AuthenticatedUser } from '../common/authentication/index.js';
import type { Secret } from '../common/secret/index.js';
import type { CacheKey } from '../near-cache/index.js';

/** A session as its user sees it. */
export interface Session {
  readonly id: string;
  readonly createdAt: Date;
  /** Accurate to a minute, or to a tenth of the idle lifetime if that is shorter. */
  readonly lastUsedAt: Date;
  readonly ip: string;
  readonly userAgent: string;
}

/** How a method of authentication is named in the claim `amr` (RFC 8176). */
export type AuthenticationMethod =
  /** A password. */
  | 'pwd'
  /** A one-time password, or a recovery code. */
  | 'otp'
  /** Proof of possession of a key, by a passkey. */
  | 'pop'
  /** The authenticator has verified the user, by a PIN or a biometric. */
  | 'user'
  /** More than one factor. */
  | 'mfa';

/** When and how the user of a session has proved who they are: the claims `auth_time` and `amr` (RFC 9068 section 2.2.1). */
export interface Authentication {
  /** Seconds since the epoch. A refresh does not change it. */
  readonly time: number;
  readonly methods: readonly AuthenticationMethod[];
}

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly passwordVersion: number;
  readonly authentication: Authentication;
  /** The version of the user's second factors for which a proof was checked. Undefined: none was checked. */
  readonly factorsVersion?: string | undefined;
  readonly accessToken: Secret;
  readonly refreshToken: Secret;
  readonly ip: string;
  readonly userAgent: string;
}

/** An access token whose form and claims are valid. Its signature may not be verified yet. */
export interface PresentedToken {
  readonly token: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** The state of a session, which decides whether its tokens are accepted. */
export type SessionState =
  | {
      readonly state: 'live';
      readonly user: AuthenticatedUser;
      /** Ids (`jti`) of access tokens that were revoked while the session stays live. */
      readonly revokedTokens: ReadonlySet<string>;
      /** How long the near cache may keep this state. */
      readonly maxAgeMs: number;
    }
  | { readonly state: 'ended' }
  /** No instance has verified the signature of this token yet. */
  | { readonly state: 'unverified' };

/** Whether a session is live, independent of a particular token. */
export type SessionCheck =
  | {
      readonly state: 'live';
      readonly revokedTokens: ReadonlySet<string>;
      /** Time until it expires if it is not used. */
      readonly endsInMs: number;
    }
  | { readonly state: 'ended' };

/** Names a session's state in the near cache. */
export type SessionKey = CacheKey<SessionState>;

/** A prepared reauthentication of a live session. */
export interface RaisedSession {
  readonly id: string;
  readonly userId: string;
  /** The version of the password that was verified; undefined for none. */
  readonly passwordVersion?: number | undefined;
  /** As in `NewSession`. */
  readonly factorsVersion?: string | undefined;
  readonly authentication: Authentication;
  readonly accessToken: Secret;
  readonly refreshToken: Secret;
}

/** A prepared exchange of a refresh token for its successor. */
export interface RefreshExchange {
  readonly userId: string;
  readonly sessionId: string;
  readonly presented: Secret;
  readonly successor: Secret;
  readonly accessToken: Secret;
  readonly accessTtlSeconds: number;
  /** The response to the client, encrypted with a key that is derived from the presented token. */
  readonly sealedAnswer: string;
}

export type RefreshOutcome =
  | { readonly outcome: 'rotated' | 'reused' | 'ended' }
  /** The sealed answers of the presented token, of its successor, and so on to the newest. Each token opens its own. */
  | { readonly outcome: 'replayed'; readonly sealedAnswers: readonly string[] }
  /** The session has made too many exchanges. The token was not spent. */
  | { readonly outcome: 'limited'; readonly retryAfterSeconds: number };
