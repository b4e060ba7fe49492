/** How long sessions live, and how many a user may have. */
export interface SessionLimits {
  /** A session expires if it is not used for this time, in seconds. Default 30 days. */
  readonly idleTtlSeconds: number;
  /** Maximum age of a session, even if it is in use, in seconds. Default 90 days. */
  readonly maxAgeSeconds: number;
  /** Maximum number of sessions of one user. A further login evicts the least recently used one. Default 100. */
  readonly maxPerUser: number;
  /**
   * How long a spent refresh token still returns the newest tokens of its session, in seconds after its exchange, at most
   * 30. It covers lost responses, and tabs that refresh at the same time. 0 turns it off, as OWASP ASVS 10.4.5 requires.
   * Default 10.
   */
  readonly refreshGraceSeconds: number;
  /** Whether the refreshes of a session are limited. Turn it off only for load tests. Default true. */
  readonly isRefreshLimited: boolean;
}

export const SESSION_LIMITS: SessionLimits = {
  idleTtlSeconds: 30 * 86_400,
  maxAgeSeconds: 90 * 86_400,
  maxPerUser: 100,
  refreshGraceSeconds: 10,
  isRefreshLimited: true,
};
