export interface SessionsOptions {
  /** How long a session may stay unused, in seconds. Default 30 days. */
  readonly idleTtlSeconds?: number;
  /** How long a session may last, however much it is used, in seconds. Default 90 days. */
  readonly maxAgeSeconds?: number;
}

export const SESSIONS_DEFAULTS = {
  idleTtlSeconds: 30 * 86_400,
  maxAgeSeconds: 90 * 86_400,
} as const;
