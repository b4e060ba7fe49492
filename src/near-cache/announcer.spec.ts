import { Logger } from '@nestjs/common';

import { FakeClock, settled } from '../../test/support/fake-clock.js';
import {
  FakeControlLog,
  startFakeInstance,
  type FakeInstance,
} from '../../test/support/fake-control-log.js';
import { Gate } from '../../test/support/gate.js';
import { Deadline } from '../common/deadline/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import { RENEWALS_PER_LEASE, leaseTimeoutMs } from './near-cache.options.js';

const LEASE_MS = 1000;
const BETWEEN_RENEWALS_MS = LEASE_MS / RENEWALS_PER_LEASE;

describe('the announcement of a change', () => {
  let clock: FakeClock;
  let log: FakeControlLog;
  let changer: FakeInstance;
  let member: FakeInstance;
  beforeAll(() => void Logger.overrideLogger(false));
  beforeEach(async () => {
    clock = new FakeClock();
    log = new FakeControlLog();
    changer = startFakeInstance(log, clock, LEASE_MS);
    member = startFakeInstance(log, clock, LEASE_MS);
    await clock.advance(0);
  });
  afterEach(async () => {
    await Promise.all(
      [changer, member].map(({ membership }) => membership.beforeApplicationShutdown()),
    );
  });

  /** The state of an announcement: pending, or its result. */
  const announce = (deadline = Deadline.none): { outcome: string; done: Promise<void> } => {
    const call = { outcome: 'waits', done: Promise.resolve() };
    call.done = changer.announcer.announce('user', deadline).then(
      (how) => void (call.outcome = how),
      (error: Error) => void (call.outcome = error.name),
    );
    return call;
  };

  it('waits only for members', async () => {
    await member.membership.beforeApplicationShutdown();

    const call = announce();
    await settled();

    expect(call.outcome).toBe('acknowledged');
  });

  it('returns when every member has acknowledged it, and not before', async () => {
    member.link.heldMessage = new Gate();
    const dropped: string[] = [];
    member.store.onDrop('user', () => dropped.push('user'));

    const call = announce();
    await member.link.heldMessage.reached;
    await settled();
    expect([dropped, call.outcome]).toEqual([['user'], 'waits']);

    member.link.heldMessage.open();
    await settled();
    expect(call.outcome).toBe('acknowledged');
  });

  it('accepts an acknowledgement that arrives before the list of members', async () => {
    changer.link.heldAnnouncement = new Gate();
    const call = announce();
    await changer.link.heldAnnouncement.reached;
    await settled();

    changer.link.heldAnnouncement.open();
    await settled();

    expect(call.outcome).toBe('acknowledged');
  });

  it('accepts the position in the log as acknowledgement of a member that receives no messages', async () => {
    member.link.isDeaf = true;
    const call = announce();
    await settled();
    expect(call.outcome).toBe('waits');

    // The renewal that applies the change still reports the earlier position; the next one reports the new position.
    await clock.advance(2 * BETWEEN_RENEWALS_MS + 100);

    expect(call.outcome).toBe('acknowledged');
    expect(member.membership.isTrusted).toBe(true);
  });

  it('waits for a silent member until its lease has certainly expired', async () => {
    member.link.isCut = true;
    const call = announce();
    await clock.advance(leaseTimeoutMs(LEASE_MS) - 1);
    expect([call.outcome, member.membership.isTrusted]).toEqual(['waits', false]);

    await clock.advance(1);

    expect(call.outcome).toBe('waited-for-lease');
    expect([...log.notes.keys()]).toEqual([changer.id]);
  });

  it('never returns while a silent member may answer from memory, for any time at which it fell silent', async () => {
    for (let silentAfterMs = 0; silentAfterMs <= BETWEEN_RENEWALS_MS; silentAfterMs += 20) {
      await clock.advance(silentAfterMs);
      member.link.isCut = true;
      const call = announce();
      while (call.outcome === 'waits') {
        await clock.advance(1);
      }
      expect([call.outcome, member.membership.isTrusted]).toEqual(['waited-for-lease', false]);

      member.link.isCut = false;
      await clock.advance(LEASE_MS);
      expect(member.membership.isTrusted).toBe(true);
    }
  });

  it('fails when the deadline passes before the lease of a silent member expires', async () => {
    member.link.isCut = true;

    const call = announce(Deadline.after(0));
    await settled();

    expect(call.outcome).toBe(NotConfirmedError.name);
    expect(log.notes.has(member.id)).toBe(true);
  });

  it('fails when the log cannot be written', async () => {
    changer.link.isCut = true;

    const call = announce();
    await settled();

    expect(call.outcome).toBe(NotConfirmedError.name);
  });

  it('does not accept a late acknowledgement of an earlier change', async () => {
    member.link.heldMessage = new Gate();
    const first = announce(Deadline.after(0));
    await settled();
    expect(first.outcome).toBe(NotConfirmedError.name);
    member.link.isDeaf = true;
    const second = announce();
    await settled();

    member.link.heldMessage.open();
    await settled();

    expect(second.outcome).toBe('waits');
    member.link.isDeaf = false;
    await clock.advance(100);
    expect(second.outcome).toBe('acknowledged');
  });

  it('returns when the silent member has left', async () => {
    member.link.isDeaf = true;
    const call = announce();
    await settled();

    await member.membership.beforeApplicationShutdown();
    await clock.advance(200);

    expect(call.outcome).toBe('waited-for-lease');
    expect(member.membership.isTrusted).toBe(false);
  });

  it('accepts a member that joined again with empty memory instead of acknowledging', async () => {
    member.link.isCut = true;
    await clock.advance(LEASE_MS - 1);
    const call = announce();
    await clock.advance(1);
    expect([call.outcome, member.membership.isTrusted]).toEqual(['waits', false]);

    member.link.isCut = false;
    await clock.advance(200);

    expect(call.outcome).toBe('acknowledged');
    expect(member.membership.isTrusted).toBe(true);
  });

  it('waits for all of many members', async () => {
    const others = Array.from({ length: 5 }, () => startFakeInstance(log, clock, LEASE_MS));
    await settled();
    others.forEach(({ link }) => (link.heldMessage = new Gate()));
    const call = announce();

    for (const { link } of others) {
      await settled();
      expect(call.outcome).toBe('waits');
      link.heldMessage!.open();
    }
    await settled();

    expect(call.outcome).toBe('acknowledged');
    await Promise.all(others.map(({ membership }) => membership.beforeApplicationShutdown()));
  });
});
