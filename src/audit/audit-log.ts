import {
  Inject,
  Injectable,
  Logger,
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

/** How long a stop waits for a sink. */
const STOP_TIMEOUT_MS = 2000;
/** Events that a sink may have under way; further ones go to the log. */
const MAX_UNDER_WAY = 10_000;

/** An event of Keyslot's own has a result and an origin: spread `origin.facts`. One of an application's may have them. */
export type RecordedEvent<Type extends string> = AuditEvent & { readonly type: Type } & ([
    Type,
  ] extends [AuditEventType]
    ? RequiredFacts
    : unknown);

interface Recorded {
  readonly event: AuditEvent;
  readonly at: Date;
}

/** Records what is worth knowing afterwards. What the sink does not take is in the structured log, context `Audit`. */
@Injectable()
export class AuditLog implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private readonly pseudonymKey: Uint8Array;
  private readonly underWay = new Map<Promise<void>, Recorded>();

  constructor(
    @Inject(AUDIT_SINK) private readonly sink: AuditSink,
    private readonly listeners: EventEmitter2,
    @Inject(AUDIT_OPTIONS) { pseudonymSecret = new Secret(randomUUID()) }: AuditOptions = {},
  ) {
    this.pseudonymKey = deriveKey(pseudonymSecret, SECRET_PURPOSES.auditPseudonyms);
  }

  /**
   * Stands for a name that somebody typed, the same in each instance. The name itself, or a digest that can be computed
   * without our secret, must not be recorded: people type passwords into the field for the name.
   *
   * @param name in its canonical form
   */
  pseudonymOf(name: string): string {
    return createHmac('sha256', this.pseudonymKey).update(name).digest('base64url');
  }

  /** Never throws: what the event tells has happened, and its caller has to hear so. */
  record<Type extends string>(event: RecordedEvent<Type>): void {
    const recorded = { event, at: new Date() };
    this.write(recorded);
    // Later, so that no listener holds up whoever waits for an answer.
    setImmediate(() => this.tell(recorded));
  }

  /**
   * Makes a change, and records how it ended. One that fails is an event as well: the caller gets an error, and the change may
   * have been made all the same.
   *
   * @param isDone whether there was something to change; nothing is recorded otherwise
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

  /** While Redis and whatever else a sink may need is still there. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.settle();
  }

  /** The last requests were answered meanwhile. */
  async onApplicationShutdown(): Promise<void> {
    await this.settle();
  }

  private write(recorded: Recorded): void {
    if (this.underWay.size >= MAX_UNDER_WAY) {
      this.keep(recorded, new Error('the sink has too many events under way'));
      return;
    }
    try {
      const done = this.sink.record(recorded.event, recorded.at);
      if (done) {
        this.follow(done, recorded);
      }
    } catch (error) {
      this.keep(recorded, error);
    }
  }

  private tell({ event, at }: Recorded): void {
    try {
      this.listeners.emit(`keyslot.${event.type}`, { ...event, at } satisfies DomainEvent);
    } catch (error) {
      this.logger.error({ err: error, msg: `A listener failed at ${event.type}.` });
    }
  }

  private follow(done: Promise<void>, recorded: Recorded): void {
    const followed = done.catch((error: unknown) => this.keep(recorded, error));
    this.underWay.set(followed, recorded);
    void followed.finally(() => this.underWay.delete(followed));
  }

  private async settle(): Promise<void> {
    const all = Promise.all(this.underWay.keys());
    await withTimeout(STOP_TIMEOUT_MS, all).catch(() => undefined);
    for (const recorded of this.underWay.values()) {
      this.keep(recorded, new Error('the application stops before the sink has taken it'));
    }
    this.underWay.clear();
  }

  private keep({ event, at }: Recorded, error: unknown): void {
    this.logger.error({ err: error, msg: 'The audit sink failed. Its event is in the log.' });
    this.logger.log({ audit: event, at: at.toISOString() });
  }
}
