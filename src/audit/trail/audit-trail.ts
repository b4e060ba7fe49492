import type { Deadline } from '../../common/deadline/index.js';
import type { AuditEvent } from '../audit-event.js';

/** Which events are listed: those that meet all conditions. */
export interface TrailQuery {
  /** A user or a service account: the events in which it is the actor or the subject. */
  readonly userId?: string | undefined;
  readonly type?: string | undefined;
}

export interface TrailEvent extends AuditEvent {
  /** Identifies the event in the trail. */
  readonly id: string;
  readonly at: Date;
}

export interface TrailPage {
  readonly events: readonly TrailEvent[];
  /** Where the next page begins: 1 to 2000 printable characters. Undefined: there are no older events. */
  readonly next: string | undefined;
}

/**
 * Lists audit events of all instances, the newest first. It is a port for queries: `AuditSink` receives the events. With the
 * default, Keyslot keeps the events in Redis. If you provide a trail, Keyslot keeps none, and your trail lists what your sink
 * has stored.
 *
 * An event that was stored before the first page is listed on exactly one page. An event that is stored meanwhile is on one page
 * or on none.
 *
 * A method throws `AuditTrailUnavailableError` when the trail is unavailable. The client then gets 503 and may repeat the request.
 * Any other error is a defect, and the client gets 500.
 *
 * @example
 * run({ auditSink: { useExisting: AuditTable }, auditTrail: { useExisting: AuditTable } })
 */
export interface AuditTrail {
  /**
   * @param after `next` of the previous page with the same query; undefined for the first page
   * @param limit the maximum number of events, 1 to 100. A page may have fewer events although it has a next page
   * @returns undefined when `after` is not from this trail, or is from another query
   * @throws RedisUnavailableError, AuditTrailUnavailableError
   */
  list(
    query: TrailQuery,
    after: string | undefined,
    limit: number,
    deadline: Deadline,
  ): Promise<TrailPage | undefined>;
}

export const AUDIT_TRAIL = Symbol('AUDIT_TRAIL');

/** An `AuditTrail` throws it when it cannot be reached. The client gets 503. */
export class AuditTrailUnavailableError extends Error {
  override readonly name = 'AuditTrailUnavailableError';
}

/** The trail has failed, or returned an invalid page. */
export class AuditTrailError extends Error {
  override readonly name = 'AuditTrailError';
}
