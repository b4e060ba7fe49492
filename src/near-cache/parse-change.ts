import type { ChangeEvent, HolderResult } from './change-feed.js';

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
