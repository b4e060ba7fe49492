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

export type ChangeOutcome = Announcement | 'not-confirmed';

/** An announced change has ended: no instance answers from the old state, or that is not known. */
export interface ChangeSettled extends Omit<ChangeAnnounced, 'stage' | 'holders'> {
  readonly stage: 'settled';
  readonly outcome: ChangeOutcome;
  /** Time since the announcement. */
  readonly ms: number;
  readonly holders: readonly HolderResult[];
}

export interface HolderResult {
  readonly instance: string;
  /** Time until this holder could not answer from the old state any more. Null: not known. */
  readonly ms: number | null;
  readonly outcome: ChangeOutcome;
}

export type ChangeEvent = ChangeAnnounced | ChangeSettled;

type Given = Readonly<Record<string, unknown>>;

const OUTCOMES: readonly unknown[] = [
  'acknowledged',
  'waited-for-lease',
  'not-confirmed',
] satisfies ChangeOutcome[];

/**
 * Who may write to Redis may publish anything, and an instance of another version something else.
 *
 * @returns undefined for a text that is no event
 */
export function parseChange(text: string): ChangeEvent | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isEvent(given) ? given : undefined;
}

function isEvent(given: unknown): given is ChangeEvent {
  if (!isObject(given)) {
    return false;
  }
  const { stage, outcome, ms, holders } = given;
  const hasTexts = ['id', 'at', 'subject', 'instance'].every((name) => isText(given[name]));
  if (!hasTexts || !Array.isArray(holders)) {
    return false;
  }
  return stage === 'announced'
    ? holders.every(isText)
    : stage === 'settled' &&
        OUTCOMES.includes(outcome) &&
        typeof ms === 'number' &&
        holders.every(isResult);
}

function isResult(given: unknown): boolean {
  return (
    isObject(given) &&
    isText(given['instance']) &&
    (given['ms'] === null || typeof given['ms'] === 'number') &&
    OUTCOMES.includes(given['outcome'])
  );
}

function isObject(given: unknown): given is Given {
  return typeof given === 'object' && given !== null;
}

function isText(given: unknown): given is string {
  return typeof given === 'string';
}
