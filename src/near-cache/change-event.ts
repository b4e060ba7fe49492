import type { Announcement } from './announcer.js';

/** A change of a subject is announced to its holders. */
export interface ChangeAnnounced {
  readonly stage: 'announced';
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly subject: string;
  /** The instance that makes the change. */
  readonly instance: string;
  /** The other instances that may hold the subject. */
  readonly holders: readonly string[];
}

/** An announced change has ended: no instance answers from the old state, or that is not known. */
export interface ChangeSettled extends Omit<ChangeAnnounced, 'stage' | 'holders'> {
  readonly stage: 'settled';
  readonly outcome: Announcement | 'not-confirmed';
  /** Time since the announcement. */
  readonly ms: number;
  readonly holders: readonly HolderResult[];
}

export interface HolderResult {
  readonly instance: string;
  /** Time until this holder could not answer from the old state any more. Null: not known. */
  readonly ms: number | null;
  readonly outcome: Announcement | 'not-confirmed';
}

export type ChangeEvent = ChangeAnnounced | ChangeSettled;

const OUTCOMES: readonly unknown[] = ['acknowledged', 'waited-for-lease', 'not-confirmed'];

/**
 * Anybody with the Redis user of an instance can publish, and an instance of another version may send other members.
 *
 * @returns undefined for a text that is no event
 */
export function parseChange(text: string): ChangeEvent | undefined {
  let given: Readonly<Record<string, unknown>> | null;
  try {
    given = JSON.parse(text) as typeof given;
  } catch {
    return undefined;
  }
  const { stage, id, at, subject, instance, outcome, ms, holders } = given ?? {};
  if (!isText(id) || !isTime(at) || !isText(subject) || !isText(instance)) {
    return undefined;
  }
  if (stage === 'announced' && isListOf(holders, isText)) {
    return { stage, id, at, subject, instance, holders };
  }
  return stage === 'settled' && isOutcome(outcome) && isNumber(ms) && isListOf(holders, isResult)
    ? { stage, id, at, subject, instance, outcome, ms, holders }
    : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTime(value: unknown): value is string {
  return isText(value) && !Number.isNaN(Date.parse(value));
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isOutcome(value: unknown): value is HolderResult['outcome'] {
  return OUTCOMES.includes(value);
}

function isListOf<Item>(
  value: unknown,
  isItem: (item: unknown) => item is Item,
): value is readonly Item[] {
  return Array.isArray(value) && value.every(isItem);
}

function isResult(value: unknown): value is HolderResult {
  const { instance, ms, outcome } = (value ?? {}) as Partial<Record<keyof HolderResult, unknown>>;
  return isText(instance) && (ms === null || isNumber(ms)) && isOutcome(outcome);
}
