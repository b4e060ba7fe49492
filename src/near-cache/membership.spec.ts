import { Logger } from '@nestjs/common';

import { NotConfirmedError } from '../redis-cluster/index.js';
import { FakeClock, settled } from '../../test/support/fake-clock.js';
import {
  FakeInboxes,
  startFakeInstance,
  type FakeInstance,
} from '../../test/support/fake-inboxes.js';
import { Gate } from '../../test/support/gate.js';
import { Deadline } from '../common/deadline/index.js';
import { CacheKey } from './cache-key.js';
import { RENEWALS_PER_LEASE } from './near-cache.options.js';

const LEASE_MS = 1000;
const BETWEEN_RENEWALS_MS = LEASE_MS / RENEWALS_PER_LEASE;
const RETRY_MS = 100;
const KEY = new CacheKey<string>('user');

describe('a member of the near cache', () => {
  let clock: FakeClock;
  let inboxes: FakeInboxes;
  let instances: FakeInstance[];
  beforeAll(() => void Logger.overrideLogger(false));
  beforeEach(() => {
    clock = new FakeClock();
    inboxes = new FakeInboxes();
    instances = [];
  });
  afterEach(async () => {
    await Promise.all(instances.map(({ membership }) => membership.beforeApplicationShutdown()));
  });

  const start = async (): Promise<FakeInstance> => {
    const instance = startFakeInstance(inboxes, clock, LEASE_MS);
    instances.push(instance);
    await settled();
    return instance;
  };
  const beginLoad = ({ store }: FakeInstance): ((value: string) => void) => {
    const load = store.beginLoad(KEY, true);
    return (value) => {
      store.finishLoad(KEY, load, value, Infinity);
      store.endLoad(KEY, load);
    };
  };
  const remember = (instance: FakeInstance, value = 'old'): void => beginLoad(instance)(value);
  const remembered = ({ store }: FakeInstance): string | undefined =>
    store.read(KEY, clock.monotonic());
  const acknowledgementsTo = ({ membership }: FakeInstance): string[] => {
    const received: string[] = [];
    membership.onAcknowledged = (message) => received.push(message);
    return received;
  };

  it('holds its lease from the first renewal on, as long as it renews', async () => {
    const { membership } = await start();
    expect(membership.isTrusted).toBe(true);

    await clock.advance(10 * LEASE_MS);

    expect(membership.isTrusted).toBe(true);
    expect(membership.leaseEvents).toEqual({ joined: 1, renewed: 50 });
  });

  it('opens its inbox as soon as the shards are known', async () => {
    inboxes.areShardsKnown = false;
    const { membership } = await start();
    await clock.advance(LEASE_MS);
    expect(membership.isTrusted).toBe(false);

    inboxes.areShardsKnown = true;
    await clock.advance(RETRY_MS);

    expect(membership.isTrusted).toBe(true);
  });

  it('starts its lease when the renewal is sent, however late the reply', async () => {
    const { link, membership } = await start();
    link.heldRenewal = new Gate();
    await clock.advance(BETWEEN_RENEWALS_MS);
    await link.heldRenewal.reached;

    await clock.advance(300);
    link.heldRenewal.open();
    await settled();

    expect(membership.leaseRemainingMs).toBe(LEASE_MS - 300);
  });

  it('does not hold a lease when the reply arrives after the lease has expired', async () => {
    const { link, membership } = await start();
    link.heldRenewal = new Gate();
    await clock.advance(BETWEEN_RENEWALS_MS + LEASE_MS);
    expect(membership.isTrusted).toBe(false);

    link.heldRenewal.open();
    await settled();

    // The late renewal extended the lease; the next renewal starts a new interval.
    expect(membership.isTrusted).toBe(false);
    expect(membership.leaseEvents.joined).toBe(1);
    await clock.advance(BETWEEN_RENEWALS_MS);
    expect(membership.isTrusted).toBe(true);
    expect(membership.leaseEvents.joined).toBe(2);
  });

  it('does not extend its lease when the reply is lost', async () => {
    const { id, link, membership } = await start();
    link.heldRenewal = new Gate();
    await clock.advance(BETWEEN_RENEWALS_MS);
    await link.heldRenewal.reached;
    expect(inboxes.find(id)?.renewal).toBe(2);

    link.isCut = true;
    link.heldRenewal.open();
    await clock.advance(LEASE_MS - BETWEEN_RENEWALS_MS);

    expect(membership.isTrusted).toBe(false);
  });

  it('does not extend its lease when a later renewal came first', async () => {
    const instance = await start();
    const { id, membership } = instance;
    inboxes.renew({ instance: id, number: 3, position: 0, confirmed: 0 });
    inboxes.post(id, 'somebody 1 user');
    await settled();

    await clock.advance(BETWEEN_RENEWALS_MS);

    expect(membership.leaseRemainingMs).toBe(LEASE_MS - BETWEEN_RENEWALS_MS);
    expect(inboxes.find(id)).toMatchObject({ renewal: 3, position: 0 });
    // The next renewal has the same number as the later one, so the inbox stores it.
    await clock.advance(RETRY_MS);
    expect(membership.leaseRemainingMs).toBe(LEASE_MS);
    expect(instance.id).toBe(id);
  });

  describe('with posts', () => {
    it('drops their subjects before it extends its lease, even if no message arrived', async () => {
      const instance = await start();
      instance.link.isDeaf = true;
      remember(instance);
      inboxes.post(instance.id, 'somebody 1 user');
      await settled();
      expect(remembered(instance)).toBe('old');
      const leasesMs: number[] = [];
      instance.store.onDrop('user', () => leasesMs.push(instance.membership.leaseRemainingMs));

      await clock.advance(BETWEEN_RENEWALS_MS);

      expect(remembered(instance)).toBeUndefined();
      // When the post was applied, the lease still counted from the previous renewal.
      expect(leasesMs).toEqual([LEASE_MS - BETWEEN_RENEWALS_MS]);
      expect(instance.membership.leaseEvents).toEqual({ joined: 1, renewed: 1 });
    });

    it('detaches the loads of their subjects', async () => {
      const instance = await start();
      instance.link.isDeaf = true;
      const finish = beginLoad(instance);
      inboxes.post(instance.id, 'somebody 1 user');

      await clock.advance(BETWEEN_RENEWALS_MS);
      finish('old');

      expect(remembered(instance)).toBeUndefined();
    });

    it('acknowledges those that the channel delivers, each time', async () => {
      const [changer, instance] = [await start(), await start()];
      const acknowledgements = acknowledgementsTo(changer);
      const message = `${changer.id} 7 user`;

      const post = inboxes.post(instance.id, message)!;
      await settled();
      expect(acknowledgements).toEqual([`7 ${instance.id}`]);
      // The first acknowledgement may have been lost.
      inboxes.postAgain(instance.id, message, post);
      await settled();
      expect(acknowledgements).toEqual([`7 ${instance.id}`, `7 ${instance.id}`]);
    });

    it('acknowledges those that only a renewal returns', async () => {
      const [changer, instance] = [await start(), await start()];
      const acknowledgements = acknowledgementsTo(changer);
      instance.link.isDeaf = true;
      inboxes.post(instance.id, `${changer.id} 7 user`);
      await settled();
      expect(acknowledgements).toEqual([]);

      await clock.advance(BETWEEN_RENEWALS_MS);

      expect(acknowledgements).toEqual([`7 ${instance.id}`]);
    });

    it('drops the subject before it acknowledges', async () => {
      const [changer, instance] = [await start(), await start()];
      remember(instance);
      const rememberedThen: (string | undefined)[] = [];
      const acknowledge = instance.link.acknowledge.bind(instance.link);
      instance.link.acknowledge = (...args) => {
        rememberedThen.push(remembered(instance));
        acknowledge(...args);
      };

      inboxes.post(instance.id, `${changer.id} 7 user`);
      await settled();

      expect(rememberedThen).toEqual([undefined]);
    });

    it('does not drop a subject a second time when a renewal returns what the channel delivered', async () => {
      const instance = await start();
      inboxes.post(instance.id, 'somebody 1 user');
      await settled();
      remember(instance, 'new');

      await clock.advance(BETWEEN_RENEWALS_MS);

      expect(instance.membership.leaseEvents.renewed).toBe(1);
      expect(remembered(instance)).toBe('new');
      // A message of another change is applied.
      instance.link.isDeaf = true;
      inboxes.post(instance.id, 'somebody 2 user');
      await clock.advance(BETWEEN_RENEWALS_MS);
      expect(remembered(instance)).toBeUndefined();
    });

    it('reports as its position only what a confirmed renewal has returned', async () => {
      const { id } = await start();
      inboxes.post(id, 'somebody 1 user');
      await settled();

      await clock.advance(BETWEEN_RENEWALS_MS);
      expect(inboxes.find(id)).toMatchObject({ renewal: 2, position: 0, sequence: 1 });
      await clock.advance(BETWEEN_RENEWALS_MS);
      expect(inboxes.find(id)).toMatchObject({ renewal: 3, position: 1, sequence: 1 });
    });

    it('applies a post in the place of one that the channel delivered and a failover lost', async () => {
      const instance = await start();
      const { id } = instance;
      inboxes.post(id, 'somebody 1 another');
      await settled();
      inboxes.loseLastPost(id);
      remember(instance);
      instance.link.isDeaf = true;
      inboxes.post(id, 'somebody 2 user');

      await clock.advance(BETWEEN_RENEWALS_MS);

      expect(instance.id).toBe(id);
      expect(remembered(instance)).toBeUndefined();
    });

    it('applies them at hurried renewals while the channel is lost', async () => {
      const instance = await start();
      instance.link.lose();
      await settled();
      remember(instance);
      inboxes.post(instance.id, 'somebody 1 user');

      await clock.advance(RETRY_MS);

      expect(remembered(instance)).toBeUndefined();
      await clock.advance(10 * LEASE_MS);
      expect(instance.membership.isTrusted).toBe(true);
      expect(instance.membership.leaseEvents.joined).toBe(1);

      instance.link.regain();
      await clock.advance(RETRY_MS);
      const { renewed } = instance.membership.leaseEvents;
      await clock.advance(LEASE_MS);
      expect(instance.membership.leaseEvents.renewed).toBe(renewed + RENEWALS_PER_LEASE);
    });

    it('renews at once when the channel is lost', async () => {
      const { link, membership } = await start();
      await clock.advance(BETWEEN_RENEWALS_MS / 2);

      link.lose();
      await settled();

      expect(membership.leaseRemainingMs).toBe(LEASE_MS);
    });
  });

  describe('that does not reach its inbox', () => {
    it('loses its lease in time', async () => {
      const { link, membership } = await start();
      link.isCut = true;

      await clock.advance(LEASE_MS - 1);
      expect(membership.isTrusted).toBe(true);
      await clock.advance(1);
      expect(membership.isTrusted).toBe(false);
    });

    it('is trusted again with empty memory, in the same inbox, if others have noticed nothing', async () => {
      const instance = await start();
      const { id, link, membership } = instance;
      link.heldRenewal = new Gate();
      remember(instance);
      const finish = beginLoad(instance);
      await clock.advance(BETWEEN_RENEWALS_MS + LEASE_MS);
      expect(membership.isTrusted).toBe(false);
      link.heldRenewal.open();
      await settled();

      await clock.advance(BETWEEN_RENEWALS_MS);
      finish('old');

      expect(membership.isTrusted).toBe(true);
      expect(membership.leaseEvents.joined).toBe(2);
      expect(remembered(instance)).toBeUndefined();
      expect(instance.id).toBe(id);
    });

    it('stays untrusted when the clock is set back after the lease has expired by it', async () => {
      const { link, membership } = await start();
      link.heldRenewal = new Gate();
      clock.wallShiftMs = LEASE_MS;
      await clock.advance(BETWEEN_RENEWALS_MS);
      await link.heldRenewal.reached;

      clock.wallShiftMs = 0;

      expect(membership.isTrusted).toBe(false);
      link.heldRenewal.open();
    });

    it('keeps its inbox when it was cut off for less than a lease', async () => {
      const instance = await start();
      const { id } = instance;
      inboxes.away.add(inboxes.masterOf(id));
      await clock.advance(LEASE_MS - 1);

      inboxes.away.clear();
      await clock.advance(RETRY_MS);

      expect(instance.id).toBe(id);
      expect(instance.membership.isTrusted).toBe(true);
    });

    it('opens an inbox in another shard with empty memory after one lease', async () => {
      const instance = await start();
      const { id, membership } = instance;
      remember(instance);
      const finish = beginLoad(instance);
      inboxes.away.add(inboxes.masterOf(id));
      await clock.advance(LEASE_MS - 1);
      expect(instance.id).toBe(id);

      await clock.advance(1 + 2 * RETRY_MS);
      finish('old');

      expect(instance.id).not.toBe(id);
      expect(inboxes.masterOf(instance.id)).not.toBe(inboxes.masterOf(id));
      expect(membership.isTrusted).toBe(true);
      expect(membership.leaseEvents.joined).toBe(2);
      expect(remembered(instance)).toBeUndefined();
      // Posts to the new inbox arrive.
      inboxes.post(instance.id, 'somebody 1 user');
      remember(instance);
      await settled();
      expect(remembered(instance)).toBeUndefined();
    });

    it('keeps its inbox apart from what it must not lose as well, if another shard answers', async () => {
      inboxes.areShardsKnown = false;
      const instance = await start();
      instance.membership.keepApartFrom('master-1');
      inboxes.areShardsKnown = true;
      await clock.advance(RETRY_MS);
      const first = inboxes.masterOf(instance.id);

      inboxes.away.add(first);
      await clock.advance(2 * LEASE_MS);
      const second = inboxes.masterOf(instance.id);
      expect([first, second].sort()).toEqual(['master-2', 'master-3']);

      inboxes.away.add(second);
      await clock.advance(10 * LEASE_MS);
      expect(inboxes.masterOf(instance.id)).toBe('master-1');
      expect(instance.membership.isTrusted).toBe(true);
    });

    it('retires its former id once it has dropped everything, and closes the inbox when it can be reached', async () => {
      const instance = await start();
      const { id } = instance;
      inboxes.away.add(inboxes.masterOf(id));
      await clock.advance(LEASE_MS - 1);
      expect(inboxes.retired.size).toBe(0);
      await clock.advance(1 + 2 * RETRY_MS);
      expect([...inboxes.retired]).toEqual([id]);
      await clock.advance(10 * LEASE_MS);
      expect(inboxes.find(id)?.isClosed).toBe(false);

      inboxes.away.clear();
      await clock.advance(2 * BETWEEN_RENEWALS_MS);

      expect(inboxes.find(id)).toMatchObject({ isClosed: true, isSilent: true });
    });

    it('retires its former id also when the shard of the mark comes back later', async () => {
      const instance = await start();
      const { id } = instance;
      inboxes.away.add(inboxes.masterOf(id)).add(inboxes.masterOfMark(id));
      await clock.advance(10 * LEASE_MS);
      expect(inboxes.masterOf(instance.id)).not.toBe(inboxes.masterOf(id));
      expect(inboxes.retired.size).toBe(0);

      inboxes.away.delete(inboxes.masterOfMark(id));
      await clock.advance(LEASE_MS);

      expect([...inboxes.retired]).toEqual([id]);
    });

    it('retires no id that never held a lease', async () => {
      ['master-1', 'master-2', 'master-3'].forEach((master) => inboxes.away.add(master));
      const instance = await start();
      const { id, membership } = instance;
      await clock.advance(LEASE_MS - 1);
      expect(instance.id).toBe(id);
      await clock.advance(2 * LEASE_MS);
      expect(instance.id).not.toBe(id);

      inboxes.away.clear();
      await clock.advance(LEASE_MS);

      expect(membership.isTrusted).toBe(true);
      expect(inboxes.retired.size).toBe(0);
    });
  });

  describe('whose inbox is closed', () => {
    it.each<[string, (id: string) => void]>([
      ['others have closed it', (id) => inboxes.close(id, inboxes.find(id)?.renewal)],
      ['it is lost', (id) => inboxes.lose(id)],
      [
        'it is lost and somebody has posted',
        (id) => {
          inboxes.lose(id);
          inboxes.post(id, 'somebody 1 another');
        },
      ],
    ])('begins anew with empty memory under a new id when %s', async (_, close) => {
      const instance = await start();
      const { id, membership } = instance;
      remember(instance);
      const finish = beginLoad(instance);
      close(id);

      await clock.advance(BETWEEN_RENEWALS_MS);
      expect([membership.isTrusted, remembered(instance)]).toEqual([false, undefined]);
      await clock.advance(RETRY_MS);
      finish('old');

      expect(membership.isTrusted).toBe(true);
      expect(membership.leaseEvents.joined).toBe(2);
      expect(remembered(instance)).toBeUndefined();
      expect(instance.id).not.toBe(id);
      expect([membership.isOwn(id), membership.isOwn(instance.id)]).toEqual([true, true]);
      expect([...inboxes.retired]).toEqual([id]);
    });

    it('begins anew when a failover has lost a post that it has applied', async () => {
      const instance = await start();
      const { id } = instance;
      inboxes.post(id, 'somebody 1 another');
      await clock.advance(BETWEEN_RENEWALS_MS);
      remember(instance);

      inboxes.loseLastPost(id);
      await clock.advance(BETWEEN_RENEWALS_MS + RETRY_MS);

      expect(instance.id).not.toBe(id);
      expect(instance.membership.isTrusted).toBe(true);
      expect(remembered(instance)).toBeUndefined();
      expect(inboxes.find(id)?.isSilent).toBe(true);
    });

    it('begins anew when a failover has lost a confirmed renewal, even if as many posts have come since', async () => {
      const instance = await start();
      const { id } = instance;
      const rollBack = inboxes.snapshot(id);
      inboxes.post(id, 'somebody 1 another');
      await clock.advance(BETWEEN_RENEWALS_MS);
      remember(instance);

      rollBack();
      instance.link.isDeaf = true;
      inboxes.post(id, 'somebody 2 user');
      await clock.advance(BETWEEN_RENEWALS_MS + RETRY_MS);

      expect(instance.id).not.toBe(id);
      expect(remembered(instance)).toBeUndefined();
    });

    it('is held up by a shard that takes no writes, until a renewal succeeds', async () => {
      const { membership, link } = await start();
      const renew = link.renew.bind(link);
      const cause = new Error('OOM command not allowed');
      link.renew = async () => Promise.reject(new NotConfirmedError('refused', { cause }));
      await clock.advance(BETWEEN_RENEWALS_MS);
      expect(membership.isHeldUp).toBe(true);

      // The next inbox was never opened. This reply needs no write.
      link.renew = async () => Promise.resolve({ outcome: 'closed', sequence: 0, messages: [] });
      await clock.advance(RETRY_MS);
      expect(membership.isHeldUp).toBe(true);

      link.renew = renew;
      await clock.advance(RETRY_MS);
      expect(membership.isHeldUp).toBe(false);
    });

    it('receives no more messages under its former id', async () => {
      const instance = await start();
      const { id } = instance;
      inboxes.close(id, 1);
      await clock.advance(BETWEEN_RENEWALS_MS + RETRY_MS);
      remember(instance, 'new');

      inboxes.postAgain(id, 'somebody 1 user', { sequence: 9, renewal: 1 });
      await settled();

      expect(remembered(instance)).toBe('new');
    });
  });

  describe('that stops', () => {
    it('closes its inbox after it has dropped everything, so that no change waits for it', async () => {
      const instance = await start();
      const { id, link, membership } = instance;
      remember(instance);
      inboxes.post(id, 'somebody 1 another');
      const rememberedThen: unknown[] = [];
      const close = link.close.bind(link);
      link.close = async (...args) => {
        rememberedThen.push(membership.isTrusted, remembered(instance));
        return close(...args);
      };

      await membership.beforeApplicationShutdown();

      expect(rememberedThen).toEqual([false, undefined]);
      expect(inboxes.find(id)).toMatchObject({ isSilent: true, position: 1, sequence: 1 });
      await clock.advance(LEASE_MS);
      expect(membership.isTrusted).toBe(false);
      expect(inboxes.find(id)?.renewal).toBe(1);
    });

    it('is not trusted when the reply to a renewal arrives afterwards', async () => {
      const instance = await start();
      const { link, membership } = instance;
      link.heldRenewal = new Gate();
      await clock.advance(BETWEEN_RENEWALS_MS);
      await link.heldRenewal.reached;

      await membership.beforeApplicationShutdown();
      link.heldRenewal.open();
      await settled();

      expect(membership.isTrusted).toBe(false);
    });

    it('retires its id when its inbox does not answer, after it has dropped everything', async () => {
      const { id, membership } = await start();
      inboxes.away.add(inboxes.masterOf(id));

      await membership.beforeApplicationShutdown();

      expect([...inboxes.retired]).toEqual([id]);
      expect(membership.isTrusted).toBe(false);
    });

    it('also makes its former id known', async () => {
      const instance = await start();
      const { id, link, membership } = instance;
      link.isCut = true;
      await clock.advance(LEASE_MS);
      expect(instance.id).not.toBe(id);
      link.isCut = false;

      await membership.beforeApplicationShutdown();

      expect(inboxes.find(id)?.isSilent).toBe(true);
    });

    it('hears acknowledgements until its requests have ended', async () => {
      const [stopping, holder] = [await start(), await start()];
      await stopping.membership.beforeApplicationShutdown();
      const holders = [{ instance: holder.id, leaseMs: LEASE_MS }];

      const change = stopping.announcer.announce('subject', holders, Deadline.none);
      await settled();
      expect(await Promise.race([change, Promise.resolve('waiting')])).toBe('acknowledged');

      stopping.membership.onApplicationShutdown();
      expect(inboxes.subscribed).toEqual([holder.id]);
    });

    it('opens no other inbox when its last renewal fails', async () => {
      const instance = await start();
      const { id, link, membership } = instance;
      link.heldRenewal = new Gate();
      await clock.advance(BETWEEN_RENEWALS_MS + LEASE_MS);
      link.isCut = true;

      await membership.beforeApplicationShutdown();
      membership.onApplicationShutdown();
      link.heldRenewal.open();
      await settled();

      expect(instance.id).toBe(id);
      expect(inboxes.subscribed).toEqual([]);
    });

    it('opens no inbox when no shard was known before', async () => {
      inboxes.areShardsKnown = false;
      const { membership } = await start();

      await membership.beforeApplicationShutdown();
      membership.onApplicationShutdown();
      await clock.advance(LEASE_MS);

      expect(inboxes.subscribed).toEqual([]);
    });
  });
});
