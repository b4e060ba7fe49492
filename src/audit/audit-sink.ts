import type { AuditEvent } from './audit-event.js';

/**
 * Where audit events go. The default writes each one to the structured log, before the request that caused it is answered.
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
   * Takes an event. What it tells has happened already, so nothing can be refused here: when this throws or rejects, the
   * event is written to the log instead, with its time and the error. Requests do not wait for a promise; a stop does, for
   * two seconds, and then the log has the event. Calls come in the order of the events, and several may be under way.
   *
   * @param at when it happened, by the clock of this machine
   */
  record(event: AuditEvent, at: Date): void | Promise<void>;
}

export const AUDIT_SINK = Symbol('AUDIT_SINK');
