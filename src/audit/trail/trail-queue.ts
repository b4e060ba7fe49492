import { Logger, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { randomInt } from 'node:crypto';

import type { Clock } from '../../common/clock/index.js';
import { withTimeout } from '../../common/deadline/index.js';
import type { AuditEvent } from '../audit-event.js';
import { EventIds, PARTITIONS } from './trail-entry.js';
import { idsIn, type NewTrailEvent, type TrailStore, type TrailWrite } from './trail-store.js';

/** Events in the queue. At 400 bytes for each, they take 4 MB. */
const MAX_QUEUED = 10_000;
/** Bounds the time that one call takes in Redis. */
const MAX_BATCH = 500;
/** Larger `details` are omitted. Those of Keyslot's own events are smaller. */
const MAX_EVENT_LENGTH = 16_384;
/** Longer than a failover. After this time, events that cannot be stored make room for others. */
const MAX_AGE_MS = 5 * 60_000;
const RETRY_INTERVAL_MS = 500;
/** How long a shutdown waits until the queue is empty. */
const DRAIN_TIMEOUT_MS = 2000;
const REPORT_INTERVAL_MS = 60_000;

interface QueuedEvent extends Omit<NewTrailEvent, 'id'> {
  /** The id without its last digit, which is the partition. */
  readonly idStart: string;
}

interface Batch {
  readonly events: QueuedEvent[];
  readonly since: number;
  /** What is still to be done, one stage after the other. Undefined before the first attempt: events may be added. */
  stages?: TrailWrite[][];
}

/**
 * The events that are not in the trail yet. They are stored in batches, and no request waits for that: an event is dropped when
 * the queue is full. A crash of the process loses the queue.
 */
export class TrailQueue implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** The number of events that were stored, or that were not. */
  readonly outcomes = { recorded: 0, dropped: 0 };
  private readonly logger = new Logger('Audit');
  private readonly ids = new EventIds();
  private readonly batches: Batch[] = [];
  private queued = 0;
  private running: Promise<void> | undefined;
  private isClosed = false;
  private reportedAt = -Infinity;

  constructor(
    private readonly store: TrailStore,
    private readonly clock: Clock,
  ) {}

  /** The number of events that are not stored yet. */
  get depth(): number {
    return this.queued;
  }

  /** Never throws, and returns at once. */
  add(event: AuditEvent): void {
    if (this.queued >= MAX_QUEUED || this.isClosed) {
      this.drop(1, 'the queue is full');
      return;
    }
    this.queued += 1;
    this.openBatch().events.push({
      idStart: this.ids.next(this.clock.now()),
      type: event.type,
      ids: idsIn(event),
      text: textOf(event),
    });
    // Deferred: the response does not wait, and events of one request are stored together.
    this.running ??= new Promise(setImmediate).then(async () => this.run());
  }

  /** Redis is still available here. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.drain();
  }

  /** Again, because the last requests were answered in the meantime. */
  async onApplicationShutdown(): Promise<void> {
    await this.drain();
    this.isClosed = true;
  }

  private async drain(): Promise<void> {
    await withTimeout(DRAIN_TIMEOUT_MS, Promise.resolve(this.running)).catch(() => undefined);
  }

  private openBatch(): Batch {
    const last = this.batches.at(-1);
    if (last && !last.stages && last.events.length < MAX_BATCH) {
      return last;
    }
    const batch = { events: [], since: this.clock.monotonic() };
    this.batches.push(batch);
    return batch;
  }

  private async run(): Promise<void> {
    for (let batch = this.batches.shift(); batch; batch = this.batches.shift()) {
      const failure = await this.attempt(batch);
      if (!failure) {
        this.queued -= batch.events.length;
        this.outcomes.recorded += batch.events.length;
      } else if (this.isClosed || this.clock.monotonic() - batch.since > MAX_AGE_MS) {
        this.queued -= batch.events.length;
        this.drop(batch.events.length, failure.message);
      } else {
        // Behind the others, because only one shard may be unavailable.
        this.batches.push(batch);
        await this.clock.delay(RETRY_INTERVAL_MS, { ref: false });
      }
    }
    this.running = undefined;
  }

  /** @returns the first error. What failed stays in the batch */
  private async attempt(batch: Batch): Promise<Error | undefined> {
    batch.stages ??= this.store.writesOf(inOnePartition(batch.events));
    for (let writes = batch.stages[0]; writes; writes = batch.stages[0]) {
      const results = await Promise.allSettled(writes.map(async (write) => write()));
      const failed = writes.filter((_, index) => results[index]!.status === 'rejected');
      if (failed.length > 0) {
        batch.stages[0] = failed;
        return results.find((result) => result.status === 'rejected')?.reason as Error;
      }
      batch.stages.shift();
    }
    return undefined;
  }

  private drop(count: number, reason: string): void {
    this.outcomes.dropped += count;
    const now = this.clock.monotonic();
    if (now - this.reportedAt > REPORT_INTERVAL_MS) {
      this.reportedAt = now;
      const { dropped } = this.outcomes;
      this.logger.warn({ dropped, reason, msg: 'The audit trail lacks events.' });
    }
  }
}

/** A partition at random, so that all slots get the same number of events. */
function inOnePartition(events: readonly QueuedEvent[]): NewTrailEvent[] {
  const partition = PARTITIONS[randomInt(PARTITIONS.length)]!;
  return events.map(({ idStart, ...event }) => ({ ...event, id: idStart + partition }));
}

function textOf(event: AuditEvent): string {
  try {
    const text = JSON.stringify(event);
    if (text.length <= MAX_EVENT_LENGTH) {
      return text;
    }
  } catch {
    // The details of an application's event have no JSON.
  }
  return JSON.stringify({ ...event, details: { isOmitted: true } });
}
