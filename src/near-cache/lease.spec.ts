import { FakeClock } from '../../test/support/fake-clock.js';
import { Lease } from './lease.js';

describe('a lease', () => {
  let clock: FakeClock;
  let lease: Lease;
  beforeEach(() => {
    clock = new FakeClock();
    lease = new Lease(1000, clock);
  });

  it('is not held before it was extended', () => {
    expect([lease.isHeld, lease.remainingMs]).toEqual([false, 0]);
  });

  it('runs from the moment that it is given, not from the one at which it is extended', async () => {
    const sent = lease.moment();
    await clock.advance(400);
    lease.extend(sent);

    expect(lease.remainingMs).toBe(600);
    await clock.advance(599);
    expect(lease.isHeld).toBe(true);
    await clock.advance(1);
    expect(lease.isHeld).toBe(false);
  });

  it('is not held when its answer took longer than its length', async () => {
    const sent = lease.moment();
    await clock.advance(1000);
    lease.extend(sent);

    expect(lease.isHeld).toBe(false);
  });

  it('ends by the wall clock while the monotonic clock stands still, as in a machine that sleeps', () => {
    lease.extend(lease.moment());

    clock.wallShiftMs = 999;
    expect(lease.isHeld).toBe(true);
    clock.wallShiftMs = 1000;
    expect(lease.isHeld).toBe(false);
  });

  it('ends when the wall clock is set back by more than time services do', () => {
    lease.extend(lease.moment());

    clock.wallShiftMs = -50;
    expect(lease.isHeld).toBe(true);
    clock.wallShiftMs = -51;
    expect(lease.isHeld).toBe(false);
  });

  it('does not come back by a clock that is set, after it was revoked', () => {
    lease.extend(lease.moment());
    lease.revoke();

    clock.wallShiftMs = -10;
    expect(lease.isHeld).toBe(false);
  });
});
