import type { Clock } from '../../common/clock/index.js';
import type { AuditEvent } from '../audit-event.js';

/** `permission-refused` of one caller with one reason that reach the trail within a minute. */
const MAX_REFUSALS = 20;
const WINDOW_MS = 60_000;
/** Bounds the memory, at about 150 bytes for each. */
const MAX_COUNTS = 10_000;

/**
 * Limits the refusals of each caller that reach the trail: an answer 403 has no rate limit, so a single caller could displace the
 * refusals of all others. Each reason counts separately, so that the frequent ones do not hide the others.
 */
export class RefusalLimit {
  private readonly counts = new Map<string, number>();
  private since = -Infinity;

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /** Counts the event. @returns whether it is a refusal beyond the limit */
  isExceededBy({ type, actorId, reason }: AuditEvent): boolean {
    if (type !== 'permission-refused') {
      return false;
    }
    const now = this.clock.monotonic();
    if (now - this.since >= WINDOW_MS || this.counts.size >= MAX_COUNTS) {
      this.counts.clear();
      this.since = now;
    }
    const name = `${actorId} ${reason}`;
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    return count > MAX_REFUSALS;
  }
}
