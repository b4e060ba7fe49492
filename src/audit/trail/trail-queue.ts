import { AsyncResource } from 'node:async_hooks';
import { Logger, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { randomInt } from 'node:crypto';

import type { Clock } from '../../common/clock/index.js';
import { withTimeout } from '../../common/deadline/index.js';
import type { AuditEvent } from '../audit-event.js';
import { RefusalLimit } from './refusal-limit.js';
import { EventIds, PARTITIONS } from './trail-entry.js';
import { idsIn, type NewTrailEvent, type TrailStore, type TrailWrite } from './trail-store.js';

/** Events in the queue. At 400 bytes for each, they take 4 MB. */
const MAX_QUEUED = 10_000;
/** These bound the time that one call takes in Redis. */
const MAX_BATCH = 500;
const MAX_BATCH_BYTES = 262_144;
/** Larger `details` are omitted. Those of Keyslot's own events are smaller: the largest ones list 100 permissions. */
const MAX_EVENT_BYTES = 16_384;
/** Smaller, because a caller without any permission can cause as many of them as it likes. */
const MAX_REFUSED_EVENT_BYTES = 2048;
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
  bytes: number;
  /** What is still to be done, one stage after the other. Undefined before the first attempt: events may be added. */
  stages?: TrailWrite[][];
}

/**
 * The events that are not in the trail yet. They are stored in batches, and no request waits for that: an event is dropped when
 * the queue is full. A crash of the process loses the queue.
 */
export class TrailQueue implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** The number of events that were stored, that were not, and that were refusals beyond the limit of their caller. */
  readonly outcomes = { recorded: 0, dropped: 0, limited: 0 };
  private readonly logger = new Logger('Audit');
  private readonly ids = new EventIds();
  private readonly batches: Batch[] = [];
  private queued = 0;
  private readonly queuedByType = new Map<string, number>();
  private readonly refusals: RefusalLimit;
  private readonly start: () => Promise<void>;
  private running: Promise<void> | undefined;
  private isClosed = false;
  private reportedAt = -Infinity;

  constructor(
    private readonly store: TrailStore,
    private readonly clock: Clock,
  ) {
    this.refusals = new RefusalLimit(clock);
    // Outside of any request: its trace does not contain what the queue writes later.
    this.start = AsyncResource.bind(async () =>
      new Promise(setImmediate).then(async () => this.run()),
    );
  }

  /** The number of events that are not stored yet. */
  get depth(): number {
    return this.queued;
  }

  /** Never throws, and returns at once. */
  add(event: AuditEvent): void {
    if (this.refusals.isExceededBy(event)) {
      this.outcomes.limited += 1;
      return;
    }
    if (this.isClosed || !this.hasRoomFor(event.type)) {
      this.drop(1, 'the queue is full');
      return;
    }
    const text = textOf(event);
    if (text === undefined) {
      this.drop(1, 'an event has no JSON or is too large');
      return;
    }
    this.enqueue(event, text);
    // Deferred: the response does not wait, and events of one request are stored together.
    this.running ??= this.start();
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

  /** A type gets at most as much room as is still free. So a flood of one type leaves half of the queue to the others. */
  private hasRoomFor(type: string): boolean {
    return (this.queuedByType.get(type) ?? 0) < MAX_QUEUED - this.queued;
  }

  private enqueue(event: AuditEvent, text: string): void {
    const { type } = event;
    const idStart = this.ids.next(this.clock.now());
    const bytes = Buffer.byteLength(text);
    const batch = this.openBatch(bytes);
    batch.events.push({ idStart, type, ids: idsIn(event), text });
    batch.bytes += bytes;
    this.queued += 1;
    this.queuedByType.set(type, (this.queuedByType.get(type) ?? 0) + 1);
  }

  private dequeue({ events }: Batch): void {
    this.queued -= events.length;
    for (const { type } of events) {
      const left = this.queuedByType.get(type)! - 1;
      if (left > 0) {
        this.queuedByType.set(type, left);
      } else {
        this.queuedByType.delete(type);
      }
    }
  }

  private openBatch(bytes: number): Batch {
    const last = this.batches.at(-1);
    if (
      last &&
      !last.stages &&
      last.events.length < MAX_BATCH &&
      last.bytes + bytes <= MAX_BATCH_BYTES
    ) {
      return last;
    }
    const batch = { events: [], since: this.clock.monotonic(), bytes: 0 };
    this.batches.push(batch);
    return batch;
  }

  private async run(): Promise<void> {
    for (let batch = this.batches.shift(); batch; batch = this.batches.shift()) {
      const failure = await this.attempt(batch);
      if (!failure) {
        this.dequeue(batch);
        this.outcomes.recorded += batch.events.length;
      } else if (this.isClosed || this.clock.monotonic() - batch.since > MAX_AGE_MS) {
        this.dequeue(batch);
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

/** @returns undefined when the event has no JSON or is too large, even without its details */
function textOf(event: AuditEvent): string | undefined {
  return jsonOf(event) ?? jsonOf({ ...event, details: { isOmitted: true } });
}

function jsonOf(event: AuditEvent): string | undefined {
  const maxBytes = event.result === 'refused' ? MAX_REFUSED_EVENT_BYTES : MAX_EVENT_BYTES;
  try {
    const text = JSON.stringify(event);
    return Buffer.byteLength(text) <= maxBytes ? text : undefined;
  } catch {
    // An event of an application.
    return undefined;
  }
}
