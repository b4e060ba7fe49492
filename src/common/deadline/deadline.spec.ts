import { Deadline } from './deadline.js';
import { deadlineOf } from './request-deadline.decorator.js';

describe('the deadline of a request', () => {
  it('starts once, and is shorter if the request only reads', () => {
    const [read, change] = [{ method: 'GET' }, { method: 'POST' }];

    expect(deadlineOf(read)).toBe(deadlineOf(read));
    expect(deadlineOf(read).remainingMs).toBeLessThanOrEqual(1800);
    expect(deadlineOf(change).remainingMs).toBeGreaterThan(1800);
  });

  it.each([{}, { method: 'GET', upgrade: true }])(
    'starts anew for each message of a connection: %j',
    (request) => {
      expect(deadlineOf(request)).not.toBe(deadlineOf(request));
    },
  );
});

describe('Deadline', () => {
  it('has no time left after it has passed', () => {
    const deadline = Deadline.after(0);

    expect(deadline.hasPassed).toBe(true);
    expect(deadline.remainingMs).toBe(0);
  });

  it('can only be shortened', () => {
    const deadline = Deadline.after(60_000);

    expect(deadline.within(1000).remainingMs).toBeLessThanOrEqual(1000);
    expect(deadline.within(120_000).remainingMs).toBeLessThanOrEqual(60_000);
    expect(Deadline.none.within(1000).hasPassed).toBe(false);
    expect(Deadline.none.remainingMs).toBe(Infinity);
  });
});
