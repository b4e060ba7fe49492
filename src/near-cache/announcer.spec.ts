import { Logger } from '@nestjs/common';

import { FakeClock, SlowClock, settled } from '../../test/support/fake-clock.js';
import {
  FakeInboxes,
  startFakeInstance,
  type FakeInstance,
} from '../../test/support/fake-inboxes.js';
import { Gate } from '../../test/support/gate.js';
import type { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import { RENEWALS_PER_LEASE, leaseTimeoutMs } from './near-cache.options.js';

const LEASE_MS = 1000;
const BETWEEN_RENEWALS_MS = LEASE_MS / RENEWALS_PER_LEASE;
const RETRY_MS = 100;

describe('the announcement of a change', () => {
  let clock: FakeClock;
  let inboxes: FakeInboxes;
  let instances: FakeInstance[];
  let changer: FakeInstance;
  let member: FakeInstance;
  beforeAll(() => void Logger.overrideLogger(false));
  beforeEach(async () => {
    clock = new FakeClock();
    inboxes = new FakeInboxes();
    instances = [];
    changer = await start();
    member = await start();
  });
  afterEach(async () => {
    await Promise.all(instances.map(({ membership }) => membership.beforeApplicationShutdown()));
  });

  const start = async (by: Clock = clock, leaseMs = LEASE_MS): Promise<FakeInstance> => {
    const instance = startFakeInstance(inboxes, by, leaseMs);
    instances.push(instance);
    await settled();
    return instance;
  };
  /** A holder: the current id of an instance, or a given id. */
  type Holding = FakeInstance | string;
  interface Call {
    /** `waits` while the announcement waits, then its result. */
    outcome: string;
    /** Whether each holder was trusted when the announcement returned. */
    wasTrusted: boolean[];
  }
  const announce = ({
    by = changer,
    to = [member],
    deadline = Deadline.none,
  }: { by?: FakeInstance; to?: Holding[]; deadline?: Deadline } = {}): Call => {
    const call: Call = { outcome: 'waits', wasTrusted: [] };
    const end = (outcome: string): void => {
      call.outcome = outcome;
      call.wasTrusted = to.map((one) => typeof one === 'object' && one.membership.isTrusted);
    };
    const holders = to.map((one) =>
      typeof one === 'object' ? one.membership.holder : { instance: one, leaseMs: LEASE_MS },
    );
    by.announcer.announce('user', holders, deadline).then(end, (error: Error) => end(error.name));
    return call;
  };
  const dropsOf = ({ store }: FakeInstance): string[] => {
    const dropped: string[] = [];
    store.onDrop('user', () => dropped.push('user'));
    return dropped;
  };

  describe('to holders that answer', () => {
    it('returns when each one has acknowledged it, and not before', async () => {
      member.link.heldAcknowledgement = new Gate();
      const dropped = dropsOf(member);

      const call = announce();
      await member.link.heldAcknowledgement.reached;
      await settled();
      expect([dropped, call.outcome]).toEqual([['user'], 'waits']);

      member.link.heldAcknowledgement.open();
      await settled();
      expect(call.outcome).toBe('acknowledged');
    });

    it('tells only them', async () => {
      const other = await start();

      const call = announce();
      await settled();

      expect(call.outcome).toBe('acknowledged');
      expect(inboxes.find(other.id)?.sequence).toBe(0);
    });

    it('does not wait for the reply to the post when the acknowledgement arrives before it', async () => {
      changer.link.heldPost = new Gate();
      const call = announce();
      await changer.link.heldPost.reached;
      await settled();

      expect(call.outcome).toBe('acknowledged');

      changer.link.heldPost.open();
    });

    it('does not accept a late acknowledgement of an earlier change', async () => {
      member.link.heldAcknowledgement = new Gate();
      const first = announce({ deadline: Deadline.after(0) });
      await settled();
      expect(first.outcome).toBe(NotConfirmedError.name);
      member.link.isDeaf = true;
      const second = announce();
      await settled();

      member.link.heldAcknowledgement.open();
      await settled();

      expect(second.outcome).toBe('waits');
      // The changer publishes the message again until the holder acknowledges it.
      member.link.isDeaf = false;
      await clock.advance(RETRY_MS);
      expect(second.outcome).toBe('acknowledged');
    });

    it('does not accept the acknowledgement of another concurrent change', async () => {
      const third = await start();
      const [slow, fast] = [member, third];
      slow.link.isDeaf = true;
      const both = announce({ to: [slow, fast] });
      const one = announce({ to: [fast] });
      await settled();

      expect([both.outcome, one.outcome]).toEqual(['waits', 'acknowledged']);
      slow.link.isDeaf = false;
      await clock.advance(RETRY_MS);
      expect(both.outcome).toBe('acknowledged');
    });

    it('accepts the position in the inbox as acknowledgement of one that receives no messages', async () => {
      member.link.isDeaf = true;
      // The acknowledgements of the holder do not arrive either.
      member.link.acknowledge = () => undefined;
      const call = announce();

      // The first renewal applies the post, and still reports the earlier position.
      await clock.advance(BETWEEN_RENEWALS_MS + RETRY_MS);
      expect(call.outcome).toBe('waits');
      await clock.advance(BETWEEN_RENEWALS_MS);

      expect(call.outcome).toBe('acknowledged');
      expect(call.wasTrusted).toEqual([true]);
    });

    it('does not take the position for an acknowledgement of a later post', async () => {
      const first = announce();
      await clock.advance(2 * BETWEEN_RENEWALS_MS);
      expect([first.outcome, inboxes.find(member.id)?.position]).toEqual(['acknowledged', 1]);
      member.link.isDeaf = true;
      member.link.acknowledge = () => undefined;

      const second = announce();
      await clock.advance(RETRY_MS);

      expect(second.outcome).toBe('waits');
      await clock.advance(2 * BETWEEN_RENEWALS_MS);
      expect(second.outcome).toBe('acknowledged');
    });

    it('waits for all of many', async () => {
      const others = await Promise.all(Array.from({ length: 5 }, async () => start()));
      others.forEach(({ link }) => (link.heldAcknowledgement = new Gate()));
      const call = announce({ to: others });

      for (const { link } of others) {
        await settled();
        expect(call.outcome).toBe('waits');
        link.heldAcknowledgement!.open();
      }
      await settled();

      expect(call.outcome).toBe('acknowledged');
    });
  });

  describe('to a silent holder', () => {
    it('waits until its lease has certainly expired, and closes its inbox', async () => {
      const { id } = member;
      member.link.isCut = true;
      const call = announce();
      await clock.advance(leaseTimeoutMs(LEASE_MS) - 1);
      expect([call.outcome, member.membership.isTrusted]).toEqual(['waits', false]);
      const other = announce({ to: [id] });

      await clock.advance(1);

      expect(call.outcome).toBe('waited-for-lease');
      expect(inboxes.find(id)?.isSilent).toBe(true);
      // A later change does not wait. A change that posted before the inbox was closed waits until the end of its own wait.
      const later = announce({ to: [id] });
      await settled();
      expect([later.outcome, other.outcome]).toEqual(['acknowledged', 'waits']);
    });

    it('never returns while that one may answer from memory, for any time at which it fell silent', async () => {
      for (let silentAfterMs = 0; silentAfterMs <= BETWEEN_RENEWALS_MS; silentAfterMs += 1) {
        const silent = await start();
        await clock.advance(silentAfterMs);
        silent.link.isCut = true;

        const call = announce({ to: [silent] });
        await clock.advance(leaseTimeoutMs(LEASE_MS) - 1);
        expect(call.outcome).toBe('waits');
        await clock.advance(1);

        expect([call.outcome, call.wasTrusted]).toEqual(['waited-for-lease', [false]]);
        await silent.membership.beforeApplicationShutdown();
      }
    });

    it('never returns while that one may answer from memory, however late the reply to its last renewal', async () => {
      for (let lateMs = 0; lateMs <= LEASE_MS + 2 * RETRY_MS; lateMs += 50) {
        const silent = await start();
        silent.link.heldRenewal = new Gate();
        await clock.advance(BETWEEN_RENEWALS_MS);
        await silent.link.heldRenewal.reached;
        silent.link.isDeaf = true;

        const call = announce({ to: [silent] });
        await clock.advance(lateMs);
        silent.link.heldRenewal.open();
        await settled();
        silent.link.isCut = true;
        await clock.advance(leaseTimeoutMs(LEASE_MS) - lateMs);

        expect([call.outcome, call.wasTrusted]).toEqual(['waited-for-lease', [false]]);
        await silent.membership.beforeApplicationShutdown();
      }
    });

    it.each([500, 1000, 10_000])(
      'never returns while that one may answer from memory by a clock that is 5 %% slower, with a lease of %d ms',
      async (leaseMs) => {
        const silent = await start(new SlowClock(clock, 1 / 1.05), leaseMs);
        silent.link.isCut = true;

        const call = announce({ to: [silent] });
        await clock.advance(leaseMs);
        expect(silent.membership.isTrusted).toBe(true);
        await clock.advance(leaseTimeoutMs(leaseMs) - leaseMs);

        expect([call.outcome, call.wasTrusted]).toEqual(['waited-for-lease', [false]]);
      },
    );

    it('fails when the deadline passes before, and closes the inbox when its lease has certainly expired', async () => {
      const { id } = member;
      member.link.isCut = true;

      const call = announce({ deadline: Deadline.after(0) });
      await settled();
      expect(call.outcome).toBe(NotConfirmedError.name);
      await clock.advance(leaseTimeoutMs(LEASE_MS) - 1);
      expect([inboxes.find(id)?.isClosed, member.membership.isTrusted]).toEqual([false, false]);

      await clock.advance(1);

      expect(inboxes.find(id)?.isSilent).toBe(true);
      const repeated = announce({ to: [id], deadline: Deadline.after(0) });
      await settled();
      expect(repeated.outcome).toBe('acknowledged');
    });

    it('does not close the inbox after a deadline if that one has renewed its lease in the meantime', async () => {
      member.link.isDeaf = true;
      member.link.acknowledge = () => undefined;
      const call = announce({ deadline: Deadline.after(0) });
      await settled();
      expect(call.outcome).toBe(NotConfirmedError.name);

      await clock.advance(leaseTimeoutMs(LEASE_MS));

      expect(inboxes.find(member.id)?.isClosed).toBe(false);
      expect(member.membership.isTrusted).toBe(true);
    });

    it('waits no longer when that one is trusted again in the same inbox, with empty memory', async () => {
      const { id, link, membership } = member;
      link.heldRenewal = new Gate();
      await clock.advance(BETWEEN_RENEWALS_MS);
      link.isDeaf = true;
      await clock.advance(LEASE_MS - 1);
      const call = announce();
      await clock.advance(1);
      expect([call.outcome, membership.isTrusted]).toEqual(['waits', false]);

      link.heldRenewal.open();
      await clock.advance(BETWEEN_RENEWALS_MS);

      expect(call.outcome).toBe('acknowledged');
      expect([membership.isTrusted, membership.leaseEvents.joined]).toEqual([true, 2]);
      expect(member.id).toBe(id);
    });

    it('does not close the inbox of one that has renewed its lease in the meantime', async () => {
      const { id, link, membership } = member;
      const dropped = dropsOf(member);
      link.isDeaf = true;
      link.acknowledge = () => undefined;
      const call = announce();
      await clock.advance(BETWEEN_RENEWALS_MS);
      // The holder has applied the post at this renewal, and cannot report it.
      expect(dropped).toEqual(['user']);
      link.isCut = true;

      await clock.advance(leaseTimeoutMs(LEASE_MS) - BETWEEN_RENEWALS_MS);

      expect([call.outcome, call.wasTrusted]).toEqual(['waited-for-lease', [true]]);
      expect(inboxes.find(id)?.isClosed).toBe(false);
      link.isCut = false;
      membership.renewSoon();
      await settled();
      expect(membership.leaseEvents).toEqual({ joined: 1, renewed: 2 });
      expect(member.id).toBe(id);
    });
  });

  describe('to a holder that holds nothing any more', () => {
    it('does not wait for one that has stopped', async () => {
      const { id, membership } = member;
      await membership.beforeApplicationShutdown();

      const call = announce();
      await settled();

      expect(call.outcome).toBe('acknowledged');
      expect(inboxes.find(id)?.sequence).toBe(0);
    });

    it('waits no longer when it stops', async () => {
      member.link.isDeaf = true;
      const call = announce();
      await settled();
      expect(call.outcome).toBe('waits');

      await member.membership.beforeApplicationShutdown();
      await clock.advance(RETRY_MS);

      expect([call.outcome, call.wasTrusted]).toEqual(['acknowledged', [false]]);
    });

    it('does not tell the own id or a former id of this process', async () => {
      const former = changer.id;
      inboxes.close(former, 1);
      await clock.advance(BETWEEN_RENEWALS_MS + RETRY_MS);
      expect(changer.id).not.toBe(former);
      ['master-1', 'master-2', 'master-3'].forEach((master) => inboxes.away.add(master));

      const call = announce({ to: [changer, former] });
      await settled();

      expect(call.outcome).toBe('acknowledged');
    });

    it('does not wait for one that has begun anew, while its former shard is away', async () => {
      const { id } = member;
      inboxes.away.add(inboxes.masterOf(id));
      const call = announce({ to: [id] });
      await clock.advance(LEASE_MS - 1);
      expect([call.outcome, inboxes.retired.size]).toEqual(['waits', 0]);

      await clock.advance(1 + 3 * RETRY_MS);

      expect(call.outcome).toBe('acknowledged');
      expect([...inboxes.retired]).toEqual([id]);
      const later = announce({ to: [id] });
      await settled();
      expect(later.outcome).toBe('acknowledged');
    });
  });

  describe('to an inbox that is not there', () => {
    it('waits while its shard is away, and posts when it is back', async () => {
      const dropped = dropsOf(member);
      inboxes.away.add(inboxes.masterOf(member.id));
      const call = announce();
      await clock.advance(LEASE_MS / 2);
      expect(call.outcome).toBe('waits');

      inboxes.away.clear();
      await clock.advance(RETRY_MS);

      expect([call.outcome, dropped]).toEqual(['acknowledged', ['user']]);
    });

    it('waits for the lease from the post on, not from the first try', async () => {
      member.link.isCut = true;
      inboxes.away.add(inboxes.masterOf(member.id));
      const call = announce();
      await clock.advance(LEASE_MS / 2);

      inboxes.away.clear();
      await clock.advance(RETRY_MS);
      await clock.advance(leaseTimeoutMs(LEASE_MS) - 1);

      expect(call.outcome).toBe('waits');
      await clock.advance(1);
      expect(call.outcome).toBe('waited-for-lease');
    });

    it('fails at the deadline while its shard is away', async () => {
      inboxes.away.add(inboxes.masterOf(member.id));

      const call = announce({ deadline: Deadline.after(0) });
      await clock.advance(RETRY_MS);

      expect(call.outcome).toBe(NotConfirmedError.name);
    });

    it('fails at the deadline when the changer is cut off', async () => {
      changer.link.isCut = true;

      const call = announce({ deadline: Deadline.after(0) });
      await clock.advance(RETRY_MS);

      expect(call.outcome).toBe(NotConfirmedError.name);
    });

    it('waits for the lease of the holder of a lost inbox, also when another change found that first', async () => {
      const second = await start();
      member.link.isCut = true;
      const { id } = member;
      inboxes.lose(id);
      const one = announce();
      await clock.advance(LEASE_MS / 2);
      const other = announce({ by: second });

      await clock.advance(leaseTimeoutMs(LEASE_MS) - LEASE_MS / 2 - 1);
      expect(one.outcome).toBe('waits');
      await clock.advance(1);
      expect([one.outcome, one.wasTrusted, other.outcome]).toEqual([
        'waited-for-lease',
        [false],
        'waits',
      ]);
      await clock.advance(LEASE_MS / 2 - 1);
      expect(other.outcome).toBe('waits');
      await clock.advance(1);
      expect([other.outcome, other.wasTrusted]).toEqual(['waited-for-lease', [false]]);
      expect(inboxes.find(id)?.isSilent).toBe(true);
    });

    it('waits no longer when the holder of a lost inbox begins anew', async () => {
      const { id, link } = member;
      link.isDeaf = true;
      inboxes.lose(id);
      const call = announce({ to: [id] });

      await clock.advance(BETWEEN_RENEWALS_MS);
      expect([call.outcome, member.membership.isTrusted]).toEqual(['waits', false]);
      await clock.advance(2 * RETRY_MS);

      expect(call.outcome).toBe('acknowledged');
      expect(member.membership.isTrusted).toBe(true);
      expect(member.id).not.toBe(id);
    });
  });

  it('accepts the position also after the changer has begun anew', async () => {
    const { id } = changer;
    const acknowledge = member.link.acknowledge.bind(member.link);
    member.link.acknowledge = () => undefined;
    const call = announce();
    inboxes.close(id, 1);
    await clock.advance(BETWEEN_RENEWALS_MS);
    expect(changer.id).not.toBe(id);

    // From now on the holder sends acknowledgements to the former id of the changer. Nothing is subscribed there any more.
    member.link.acknowledge = acknowledge;
    await clock.advance(BETWEEN_RENEWALS_MS - 1);
    expect(call.outcome).toBe('waits');
    await clock.advance(1 + RETRY_MS);

    expect([call.outcome, call.wasTrusted]).toEqual(['acknowledged', [true]]);
  });
});
