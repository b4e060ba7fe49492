import type { AuthenticatedUser } from '../common/authentication/index.js';
import type { Secret } from '../common/secret/index.js';
import type { CacheKey } from '../near-cache/index.js';

/** A session as its user sees it. */
export interface Session {
  readonly id: string;
  readonly createdAt: Date;
  /** Within a minute, or a tenth of the idle life if that is shorter. */
  readonly lastUsedAt: Date;
  readonly ip: string;
  readonly userAgent: string;
}

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly passwordVersion: number;
  readonly accessToken: Secret;
  readonly refreshToken: Secret;
  readonly ip: string;
  readonly userAgent: string;
}

/** An access token whose form and claims were checked. */
export interface PresentedToken {
  readonly token: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** What decides about the tokens of a session. */
export type SessionState =
  | {
      readonly state: 'live';
      readonly user: AuthenticatedUser;
      /** Ids (`jti`) of access tokens that were revoked though the session goes on. */
      readonly revokedTokens: ReadonlySet<string>;
      /** How long this may be remembered. */
      readonly maxAgeMs: number;
    }
  | { readonly state: 'ended' }
  /** Nobody has verified this token's signature yet. */
  | { readonly state: 'unverified' };

/** Whether a session goes on, without regard to one of its tokens. */
export type SessionCheck =
  | {
      readonly state: 'live';
      readonly revokedTokens: ReadonlySet<string>;
      /** Until it ends if it is not used. */
      readonly endsInMs: number;
    }
  | { readonly state: 'ended' };

/** Names a session's state in the near cache. */
export type SessionKey = CacheKey<SessionState>;

/** The exchange of a refresh token for its successor, prepared but not made yet. */
export interface RefreshExchange {
  readonly userId: string;
  readonly sessionId: string;
  readonly presented: Secret;
  readonly successor: Secret;
  readonly accessToken: Secret;
  readonly accessTtlSeconds: number;
  /** The answer to the client, encrypted so that only the presented token yields it. */
  readonly sealedAnswer: string;
}

export type RefreshOutcome =
  | { readonly outcome: 'rotated' | 'reused' | 'ended' }
  /** The answer of the presented token, that of its successor, and so on to the newest. Each is sealed under its own token. */
  | { readonly outcome: 'replayed'; readonly sealedAnswers: readonly string[] }
  /** The session has made too many exchanges. Nothing is spent. */
  | { readonly outcome: 'limited'; readonly retryAfterSeconds: number };
