import { randomBytes } from 'node:crypto';

import { sha256 } from '../../common/digest/index.js';

/** The last digit of an id is its partition. */
export const PARTITIONS: readonly string[] = Array.from('0123456789abcdef');

const ENTRY = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.[\w-]{11}$/;
const ID_LENGTH = 36;
const TYPE_DIGEST_LENGTH = 11;
const MAX_COUNTER = 0xfff;
const MAX_AHEAD_MS = 5000;
const VARIANTS = '89ab';

/**
 * Creates ids in the order of events: UUIDv7 with a counter of events in the same millisecond (RFC 9562 section 6.2, method 1).
 * When the clock goes back a little, the ids do not. After a jump of the clock they do, else all later events had a wrong time.
 */
export class EventIds {
  private ms = 0;
  private counter = 0;

  /** @returns an id without its last digit */
  next(nowMs: number): string {
    this.advance(Math.floor(nowMs));
    const time = this.ms.toString(16).padStart(12, '0');
    const counter = this.counter.toString(16).padStart(3, '0');
    const random = randomBytes(8);
    const digits = random.toString('hex');
    const variant = VARIANTS[random[0]! % VARIANTS.length];
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${variant}${digits.slice(2, 5)}-${digits.slice(5)}`;
  }

  private advance(nowMs: number): void {
    if (nowMs > this.ms || this.ms - nowMs > MAX_AHEAD_MS) {
      this.ms = nowMs;
      this.counter = 0;
    } else if (this.counter < MAX_COUNTER) {
      this.counter += 1;
    } else {
      this.ms += 1;
      this.counter = 0;
    }
  }
}

/** Names the keys of a type. A type of an application may have characters that a key must not have. */
export function typeDigest(type: string): string {
  return sha256(type).slice(0, TYPE_DIGEST_LENGTH);
}

/** A member of an index: the id of the event, and the digest of its type, which says where the event is. */
export function entryOf(id: string, type: string): string {
  return `${id}.${typeDigest(type)}`;
}

export function isEntry(value: unknown): value is string {
  return typeof value === 'string' && ENTRY.test(value);
}

export function idIn(entry: string): string {
  return entry.slice(0, ID_LENGTH);
}

export function typeDigestIn(entry: string): string {
  return entry.slice(ID_LENGTH + 1);
}

export function partitionOf(entry: string): string {
  return entry[ID_LENGTH - 1]!;
}

export function timeIn(id: string): Date {
  return new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}
