import type { Secret } from '../common/secret/index.js';

export interface AuditOptions {
  /**
   * Key material for pseudonyms: at least 32 characters, the same for every instance of a cluster. Default: random, so that
   * pseudonyms differ between processes.
   */
  readonly pseudonymSecret?: Secret;
  /**
   * How long the trail in Redis can be read, in seconds. 0: Keyslot keeps no trail, and `GET /api/audit` answers 501. Default 90
   * days.
   */
  readonly retentionSeconds?: number;
  /**
   * The maximum number of events of each type in the trail. Beyond it, the oldest ones of the type are removed, so that a flood
   * of refused requests can neither fill Redis nor displace other events. Approximate: each of sixteen partitions keeps its share.
   * At least 10,000. Default 1,000,000.
   */
  readonly maxEventsPerType?: number;
}

export const AUDIT_DEFAULTS = {
  retentionSeconds: 90 * 86_400,
  maxEventsPerType: 1_000_000,
} as const;
