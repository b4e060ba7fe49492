import type { AuditEvent } from './audit-event.js';

/**
 * The destination of audit events. The default writes each event to the structured log before the response is sent.
 *
 * @example
 * class AuditTable implements AuditSink {
 *   constructor(private readonly rows: Rows) {}
 *   async record(event: AuditEvent, at: Date): Promise<void> {
 *     await this.rows.insert({ ...event, at });
 *   }
 * }
 */
export interface AuditSink {
  /**
   * Stores an event. The event has already happened and cannot be refused. When this throws or rejects, the event is written
   * to the log instead, with its time and the error. Requests do not wait for the promise. A shutdown waits for two seconds,
   * and then logs the pending events. Calls are in the order of the events, and several may be pending.
   *
   * @param at time of the event, by the clock of this machine
   */
  record(event: AuditEvent, at: Date): void | Promise<void>;
}

export const AUDIT_SINK = Symbol('AUDIT_SINK');
