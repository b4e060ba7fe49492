export interface NearCacheOptions {
  /**
   * How long an instance trusts its memory after its last contact with the control log, in milliseconds. Default 2000.
   * A change waits this long for an instance that died or was cut off; shorter, and a slow moment of Redis makes
   * instances ask it for everything. Instances may differ.
   */
  readonly leaseMs?: number;
  /** Most entries in memory. Default 100000. */
  readonly maxEntries?: number;
  /** Most bytes in memory, as estimated from each value's JSON. Default 64 MiB. */
  readonly maxBytes?: number;
  /**
   * Longest life of an entry, in milliseconds. Default 60000. It also bounds how long a change may be seen by some and
   * not by others when the process that made it died before it could say so (and so never answered).
   */
  readonly maxAgeMs?: number;
}

export const NEAR_CACHE_DEFAULTS = {
  leaseMs: 2000,
  maxEntries: 100_000,
  maxBytes: 64 * 1024 * 1024,
  maxAgeMs: 60_000,
} as const;

/** How often a lease is renewed while it lasts. */
export const RENEWALS_PER_LEASE = 5;
/** How much two clocks may differ in speed. */
const CLOCK_DRIFT = 0.05;
/** For the wait to begin a little early, or a clock to be set back a little (see Lease). */
const MARGIN_MS = 100;

/** How long after a change an instance that stays silent has certainly run out of trust, by its own clock. */
export function silenceMs(leaseMs: number): number {
  return leaseMs * (1 + CLOCK_DRIFT) + MARGIN_MS;
}
