export interface NearCacheOptions {
  /**
   * The length of a lease, in milliseconds: how long an instance trusts its memory after it has sent its last successful
   * renewal. Default 2000. A change waits slightly longer for a holder that has crashed or is disconnected. If the lease is
   * short, a slow response of Redis makes instances lose their lease and ask Redis on every request. Instances may have
   * different values.
   */
  readonly leaseMs?: number;
  /** Maximum number of entries in memory. Default 100000. */
  readonly maxEntries?: number;
  /** Maximum size of memory in bytes, estimated from each value's JSON. Default 64 MiB. */
  readonly maxBytes?: number;
  /**
   * Maximum age of an entry, in milliseconds. Default 60000. It also limits a rare inconsistency: if a process crashes after
   * a write and before the announcement, other instances may return the old value for this time. The client of that change
   * has received no success response.
   */
  readonly maxAgeMs?: number;
  /** The name of the service in the list of instances. Absent: the process is an instance of Keyslot. */
  readonly service?: string;
}

export const NEAR_CACHE_DEFAULTS = {
  leaseMs: 2000,
  maxEntries: 100_000,
  maxBytes: 64 * 1024 * 1024,
  maxAgeMs: 60_000,
} as const;

/** Maximum age of a lasting value (`isLasting`). The near cache loads it again long before this age. */
export const LASTING_MAX_AGE_MS = 12 * 3_600_000;
/** The age at which a lasting value is loaded again, so that its registration does not expire. */
export const LASTING_REFRESH_AGE_MS = 3_600_000;

/** How many times an instance renews its lease within the length of one lease. */
export const RENEWALS_PER_LEASE = 5;
/** Maximum difference in speed between two clocks, as a fraction. */
const CLOCK_DRIFT = 0.05;
/** Covers a wait that begins slightly early and a clock that is set back slightly (see Lease). */
const SAFETY_MARGIN_MS = 100;

/**
 * @returns the time, in milliseconds, after which the lease of a silent instance has certainly expired, even if the clock of
 * that instance is slower
 */
export function leaseTimeoutMs(leaseMs: number): number {
  return leaseMs * (1 + CLOCK_DRIFT) + SAFETY_MARGIN_MS;
}
