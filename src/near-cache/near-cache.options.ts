export interface NearCacheOptions {
  /**
   * How long an instance trusts its memory after its last contact with the control log, in milliseconds. Default 2000.
   * A change waits this long for an instance that has crashed or is disconnected. With a short lease, a slow response of
   * Redis makes instances lose their lease and ask Redis on every request. Instances may have different values.
   */
  readonly leaseMs?: number;
  /** Maximum number of entries in memory. Default 100000. */
  readonly maxEntries?: number;
  /** Maximum size of memory in bytes, estimated from each value's JSON. Default 64 MiB. */
  readonly maxBytes?: number;
  /**
   * Maximum age of an entry, in milliseconds. Default 60000. It also limits a rare inconsistency: if a process crashes after
   * a write and before the announcement, other instances may return the old value for this time. The client of that change
   * got no success response.
   */
  readonly maxAgeMs?: number;
}

export const NEAR_CACHE_DEFAULTS = {
  leaseMs: 2000,
  maxEntries: 100_000,
  maxBytes: 64 * 1024 * 1024,
  maxAgeMs: 60_000,
} as const;

/** How many times an instance renews its lease within the length of one lease. */
export const RENEWALS_PER_LEASE = 5;
/** Maximum difference in speed between two clocks, as a fraction. */
const CLOCK_DRIFT = 0.05;
/** Covers a wait that begins slightly early and a clock that is set back slightly (see Lease). */
const SAFETY_MARGIN_MS = 100;

/**
 * @returns the time, in milliseconds, after which the lease of a silent member has certainly expired, even if the member's
 * clock is slower
 */
export function leaseTimeoutMs(leaseMs: number): number {
  return leaseMs * (1 + CLOCK_DRIFT) + SAFETY_MARGIN_MS;
}
