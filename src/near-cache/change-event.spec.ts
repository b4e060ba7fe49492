import { parseChange } from './change-event.js';

const STEP = { id: 'c', at: '2026-11-23T09:30:00.000Z', subject: 'user.1', instance: 'a' };
const ANNOUNCED = { ...STEP, stage: 'announced', holders: ['b'] };
const RESULT = { instance: 'b', ms: null, outcome: 'not-confirmed' };
const SETTLED = { ...STEP, stage: 'settled', outcome: 'acknowledged', ms: 1.5, holders: [RESULT] };

describe('an event of a change', () => {
  it.each([ANNOUNCED, SETTLED])('is read: $stage', (event) => {
    expect(parseChange(JSON.stringify({ ...event, more: 1 }))).toEqual(event);
  });

  it.each([
    null,
    1,
    'text',
    [],
    {},
    STEP,
    { ...ANNOUNCED, stage: 'other' },
    { ...ANNOUNCED, subject: { toString: 1 } },
    { ...ANNOUNCED, at: 'yesterday' },
    { ...ANNOUNCED, holders: 'b' },
    { ...SETTLED, outcome: 'toString' },
    { ...SETTLED, ms: null },
    { ...SETTLED, holders: [null] },
    { ...SETTLED, holders: [{ ...RESULT, outcome: undefined }] },
  ])('is ignored if it is malformed: %j', (event) => {
    expect(parseChange(JSON.stringify(event))).toBeUndefined();
    expect(parseChange('no JSON')).toBeUndefined();
  });
});
