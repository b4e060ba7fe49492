import { dueSteps, type DueStep } from './due-steps.js';
import type { KeySet } from './key-set.js';

const LIFETIME_MS = 90 * 86_400_000;
const CREATED = 1_800_000_000_000;

const setOf = (parts: Partial<KeySet>): KeySet => ({
  now: CREATED,
  signing: { kid: 'first', encryptedKey: '', isAdopted: false, createdAt: CREATED },
  retired: [],
  withdrawn: new Map(),
  ...parts,
});
const published = { kid: 'second', createdAt: CREATED, signsFrom: CREATED + 1000 };
/** At a time that all clocks show. */
const stepsAt = (now: number, parts: Partial<KeySet> = {}): DueStep[] =>
  dueSteps(setOf({ now, ...parts }), now, LIFETIME_MS);

describe('the due steps of the signing keys', () => {
  it('publish a new key at the configured age, and not earlier (23)', () => {
    expect(stepsAt(CREATED + LIFETIME_MS - 1)).toEqual([]);
    expect(stepsAt(CREATED + LIFETIME_MS)).toEqual([{ step: 'publish', replaced: 'first' }]);
    expect(stepsAt(CREATED + 10 * LIFETIME_MS)).toEqual([{ step: 'publish', replaced: 'first' }]);
  });

  it('publish no second key while one waits', () => {
    const waiting = { ...published, signsFrom: Infinity };
    expect(stepsAt(CREATED + LIFETIME_MS, { published: waiting })).toEqual([]);
  });

  it('promote a published key at its time, and not earlier (23)', () => {
    expect(stepsAt(published.signsFrom - 1, { published })).toEqual([]);
    expect(stepsAt(published.signsFrom, { published })).toEqual([
      { step: 'promote', kid: 'second', replaced: 'first' },
    ]);
  });

  it('remove a retired key at its time, which is stored in a step of its own (23)', () => {
    const unscheduled = { kid: 'old', createdAt: 0, signsUntil: CREATED };
    const scheduled = { kid: 'older', createdAt: 0, signsUntil: CREATED, removeAt: CREATED + 5 };
    const retired = [unscheduled, scheduled];

    expect(stepsAt(CREATED + 4, { retired })).toEqual([
      { step: 'schedule-removal', kids: ['old'] },
    ]);
    expect(stepsAt(CREATED + 5, { retired })).toEqual([
      { step: 'schedule-removal', kids: ['old'] },
      { step: 'remove', kids: ['older'] },
    ]);
  });

  it('adopt a key of unknown age, and do not replace it before it has an age', () => {
    const signing = { kid: 'first', encryptedKey: '', isAdopted: false };
    expect(stepsAt(CREATED * 2, { signing })).toEqual([{ step: 'adopt', kid: 'first' }]);
  });

  it.each([
    ['the node', (now: number, late: number): DueStep[] => dueSteps(at(late), now, LIFETIME_MS)],
    ['the instance', (now: number, late: number) => dueSteps(at(now), late, LIFETIME_MS)],
  ])('come not too early when the clock of %s is ahead by a year', (_, stepsWith) => {
    const ahead = CREATED + 365 * 86_400_000;

    expect(stepsWith(CREATED, ahead)).toEqual([]);
    expect(stepsWith(ahead, ahead)).toHaveLength(2);
  });
});

function at(now: number): KeySet {
  return setOf({
    now,
    published,
    retired: [{ kid: 'old', createdAt: 0, signsUntil: 0, removeAt: CREATED + 1000 }],
  });
}
