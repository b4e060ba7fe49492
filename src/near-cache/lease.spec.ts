import { FakeClock } from '../../test/support/fake-clock.js';
import { Lease } from './lease.js';

describe('a lease', () => {
  let clock: FakeClock;
  let lease: Lease;
  beforeEach(() => {
    clock = new FakeClock();
    lease = new Lease(1000, clock);
  });

  it('is not held before its first extension', () => {
    expect([lease.isHeld, lease.remainingMs]).toEqual([false, 0]);
  });

  it('starts at the given moment, not at the time of the extension', async () => {
    const sent = lease.moment();
    await clock.advance(400);
    lease.extend(sent);

    expect(lease.remainingMs).toBe(600);
    await clock.advance(599);
    expect(lease.isHeld).toBe(true);
    await clock.advance(1);
    expect(lease.isHeld).toBe(false);
  });

  it('is not held when the reply took longer than the lease', async () => {
    const sent = lease.moment();
    await clock.advance(1000);
    lease.extend(sent);

    expect(lease.isHeld).toBe(false);
  });

  it('expires by the wall clock while the monotonic clock stops, as on a sleeping machine', () => {
    lease.extend(lease.moment());

    clock.wallShiftMs = 999;
    expect(lease.isHeld).toBe(true);
    clock.wallShiftMs = 1000;
    expect(lease.isHeld).toBe(false);
  });

  it('ends when the wall clock is set back by more than the tolerance', () => {
    lease.extend(lease.moment());

    clock.wallShiftMs = -50;
    expect(lease.isHeld).toBe(true);
    clock.wallShiftMs = -51;
    expect(lease.isHeld).toBe(false);
  });

  it('stays revoked when the clock is set back', () => {
    lease.extend(lease.moment());
    lease.revoke();

    clock.wallShiftMs = -10;
    expect(lease.isHeld).toBe(false);
  });
});
