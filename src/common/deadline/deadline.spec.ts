import { Deadline } from './deadline.js';

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
