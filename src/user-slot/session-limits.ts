/** How long sessions live, and how many a user may have. */
export interface SessionLimits {
  /** How long a session may stay unused, in seconds. Default 30 days. */
  readonly idleTtlSeconds: number;
  /** How long a session may last, however much it is used, in seconds. Default 90 days. */
  readonly maxAgeSeconds: number;
  /** Most sessions of one user. One more login ends the session that was not used for longest. Default 100. */
  readonly maxPerUser: number;
  /**
   * How long a spent refresh token yields the newest answer of its session, in seconds from its use, at most 30: for a lost
   * answer, or tabs that refresh at once. 0 turns it off, as OWASP ASVS 10.4.5 asks. Default 10.
   */
  readonly refreshGraceSeconds: number;
  /** Off only for load tests: a session may then refresh as often as it likes. Default true. */
  readonly isRefreshLimited: boolean;
}

export const SESSION_LIMITS: SessionLimits = {
  idleTtlSeconds: 30 * 86_400,
  maxAgeSeconds: 90 * 86_400,
  maxPerUser: 100,
  refreshGraceSeconds: 10,
  isRefreshLimited: true,
};
