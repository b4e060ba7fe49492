import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { createHmac, randomUUID } from 'node:crypto';

import { withTimeout } from '../common/deadline/index.js';
import { deriveKey, Secret, SECRET_PURPOSES } from '../common/secret/index.js';
import type {
  AuditEvent,
  AuditEventType,
  DomainEvent,
  PendingEvent,
  RequiredFacts,
} from './audit-event.js';
import { AUDIT_OPTIONS } from './audit.module-definition.js';
import type { AuditOptions } from './audit.options.js';
import { AUDIT_SINK, type AuditSink } from './audit-sink.js';
import { TrailQueue } from './trail/trail-queue.js';

/** How long a shutdown waits for the sink. */
const DRAIN_TIMEOUT_MS = 2000;
/** Events that a sink may have pending. Further events go to the log. */
const MAX_PENDING = 10_000;

/** An event of Keyslot requires a result and the origin (`origin.facts`). They are optional in events of an application. */
export type RecordedEvent<Type extends string> = AuditEvent & { readonly type: Type } & ([
    Type,
  ] extends [AuditEventType]
    ? RequiredFacts
    : unknown);

interface Recorded {
  readonly event: AuditEvent;
  readonly at: Date;
}

/** Records audit events. Events that the sink does not accept go to the structured log, with the context `Audit`. */
@Injectable()
export class AuditLog implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private readonly pseudonymKey: Uint8Array;
  private readonly pending = new Map<Promise<void>, Recorded>();

  constructor(
    @Inject(AUDIT_SINK) private readonly sink: AuditSink,
    private readonly listeners: EventEmitter2,
    @Inject(AUDIT_OPTIONS) { pseudonymSecret = new Secret(randomUUID()) }: AuditOptions = {},
    @Optional() private readonly trail?: TrailQueue,
  ) {
    this.pseudonymKey = deriveKey(pseudonymSecret, SECRET_PURPOSES.auditPseudonyms);
  }

  /**
   * Returns a keyed pseudonym of a user name from a request. It is the same on each instance. The name itself or an unkeyed
   * digest must not be recorded, because people mistakenly enter passwords as user names.
   *
   * @param name in canonical form
   */
  pseudonymOf(name: string): string {
    return createHmac('sha256', this.pseudonymKey).update(name).digest('base64url');
  }

  /** Never throws, because the recorded change has taken effect and its caller must receive the result. */
  record<Type extends string>(event: RecordedEvent<Type>): void {
    const recorded = { event, at: new Date() };
    this.write(recorded);
    this.trail?.add(event);
    // Deferred, so that listeners do not delay the response.
    setImmediate(() => this.notify(recorded));
  }

  /**
   * Runs a change and records its outcome. A failed change is recorded too, because it may have taken effect although the
   * caller gets an error.
   *
   * @param isDone whether anything was changed; if not, nothing is recorded
   */
  async recordChange<Result>(
    events: readonly PendingEvent[],
    change: () => Promise<Result>,
    isDone: (result: Result) => boolean,
  ): Promise<Result> {
    let result: Result;
    try {
      result = await change();
    } catch (error) {
      events.forEach((event) =>
        this.record({ ...event, result: 'failure', reason: 'unconfirmed' }),
      );
      throw error;
    }
    if (isDone(result)) {
      events.forEach((event) => this.record({ ...event, result: 'success' }));
    }
    return result;
  }

  /** Redis and other dependencies of a sink are still available here. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.drain();
  }

  /** Again, because the last requests were answered in the meantime. */
  async onApplicationShutdown(): Promise<void> {
    await this.drain();
  }

  private write(recorded: Recorded): void {
    if (this.pending.size >= MAX_PENDING) {
      this.logInstead(recorded, new Error('the sink has too many pending events'));
      return;
    }
    try {
      const done = this.sink.record(recorded.event, recorded.at);
      if (done) {
        this.track(done, recorded);
      }
    } catch (error) {
      this.logInstead(recorded, error);
    }
  }

  private notify({ event, at }: Recorded): void {
    try {
      this.listeners.emit(`keyslot.${event.type}`, { ...event, at } satisfies DomainEvent);
    } catch (error) {
      this.logger.error({ err: error, msg: `A listener failed for ${event.type}.` });
    }
  }

  private track(done: Promise<void>, recorded: Recorded): void {
    const tracked = done.catch((error: unknown) => this.logInstead(recorded, error));
    this.pending.set(tracked, recorded);
    void tracked.finally(() => this.pending.delete(tracked));
  }

  private async drain(): Promise<void> {
    const all = Promise.all(this.pending.keys());
    await withTimeout(DRAIN_TIMEOUT_MS, all).catch(() => undefined);
    for (const recorded of this.pending.values()) {
      this.logInstead(
        recorded,
        new Error('the application stopped before the sink accepted the event'),
      );
    }
    this.pending.clear();
  }

  private logInstead({ event, at }: Recorded, error: unknown): void {
    this.logger.error({
      err: error,
      msg: 'The audit sink failed. The next line contains the event.',
    });
    this.logger.log({ audit: event, at: at.toISOString() });
  }
}
