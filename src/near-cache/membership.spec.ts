import { Logger } from '@nestjs/common';

import { FakeClock, settled } from '../../test/support/fake-clock.js';
import {
  FakeControlLog,
  startFakeInstance,
  type FakeInstance,
} from '../../test/support/fake-control-log.js';
import { Gate } from '../../test/support/gate.js';
import { CacheKey } from './cache-key.js';
import { RENEWALS_PER_LEASE, leaseTimeoutMs } from './near-cache.options.js';

const LEASE_MS = 1000;
const BETWEEN_RENEWALS_MS = LEASE_MS / RENEWALS_PER_LEASE;
const KEY = new CacheKey<string>('user');

describe('a member of the near cache', () => {
  let clock: FakeClock;
  let log: FakeControlLog;
  let instances: FakeInstance[];
  beforeAll(() => void Logger.overrideLogger(false));
  beforeEach(() => {
    clock = new FakeClock();
    log = new FakeControlLog();
    instances = [];
  });
  afterEach(async () => {
    await Promise.all(instances.map(({ membership }) => membership.beforeApplicationShutdown()));
  });

  const start = async (): Promise<FakeInstance> => {
    const instance = startFakeInstance(log, clock, LEASE_MS);
    instances.push(instance);
    await settled();
    return instance;
  };
  const remember = ({ store }: FakeInstance): void => {
    const load = store.beginLoad(KEY, true);
    store.finishLoad(KEY, load, 'old', Infinity);
    store.endLoad(KEY, load);
  };
  const remembered = ({ store }: FakeInstance): string | undefined =>
    store.read(KEY, clock.monotonic());

  it('holds its lease from the first renewal on, as long as it renews', async () => {
    const { membership } = await start();
    expect(membership.isTrusted).toBe(true);

    await clock.advance(10 * LEASE_MS);

    expect(membership.isTrusted).toBe(true);
    expect(membership.leaseEvents).toEqual({ joined: 1, renewed: 50 });
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
    expect(membership.leaseEvents.joined).toBe(1);
    await clock.advance(BETWEEN_RENEWALS_MS);
    expect(membership.isTrusted).toBe(true);
    expect(membership.leaseEvents.joined).toBe(2);
  });

  it('drops changed subjects before it extends its lease, even if no message arrived', async () => {
    const instance = await start();
    instance.link.isDeaf = true;
    remember(instance);
    log.announce('user', 'somebody 1 user');
    expect(remembered(instance)).toBe('old');
    const trustedWhenDropped: boolean[] = [];
    instance.store.onDrop('user', () =>
      trustedWhenDropped.push(instance.membership.leaseRemainingMs === LEASE_MS),
    );

    await clock.advance(BETWEEN_RENEWALS_MS);

    expect(remembered(instance)).toBeUndefined();
    // At that time, the lease was based on the previous renewal.
    expect(trustedWhenDropped).toEqual([false]);
    expect(instance.membership.leaseEvents).toEqual({ joined: 1, renewed: 1 });
  });

  it('loses its lease in time when the log does not answer', async () => {
    const { link, membership } = await start();
    link.isCut = true;

    await clock.advance(LEASE_MS - 1);
    expect(membership.isTrusted).toBe(true);
    await clock.advance(1);
    expect(membership.isTrusted).toBe(false);
  });

  it('joins again with empty memory after its lease expired, even if no other instance has noticed', async () => {
    const instance = await start();
    remember(instance);
    instance.link.isCut = true;
    await clock.advance(LEASE_MS);
    log.announce('user', 'somebody 1 user');
    expect(log.notes.has(instance.id)).toBe(true);

    instance.link.isCut = false;
    await clock.advance(BETWEEN_RENEWALS_MS);

    expect(instance.membership.isTrusted).toBe(true);
    expect(instance.membership.leaseEvents.joined).toBe(2);
    expect(remembered(instance)).toBeUndefined();
  });

  it('joins again with empty memory after others have removed it during its lease', async () => {
    const instance = await start();
    remember(instance);
    log.remove(log.members());

    await clock.advance(2 * BETWEEN_RENEWALS_MS);

    expect(instance.membership.isTrusted).toBe(true);
    expect(instance.membership.leaseEvents.joined).toBe(2);
    expect(remembered(instance)).toBeUndefined();
  });

  it('loses its lease and leaves when the channel is lost during a renewal', async () => {
    const instance = await start();
    const { link, membership } = instance;
    link.heldRenewal = new Gate();
    await clock.advance(BETWEEN_RENEWALS_MS);
    await link.heldRenewal.reached;

    link.lose();
    link.heldRenewal.open();
    await settled();

    expect(membership.isTrusted).toBe(false);
    expect(log.notes.has(instance.id)).toBe(false);
    await clock.advance(10 * LEASE_MS);
    expect(membership.isTrusted).toBe(false);

    link.regain();
    await settled();
    expect(membership.isTrusted).toBe(true);
    expect(membership.leaseEvents.joined).toBe(2);
  });

  it('removes members that were silent for longer than their lease, but no member that renews', async () => {
    const [watcher, silent, alive] = [await start(), await start(), await start()];
    await clock.advance(BETWEEN_RENEWALS_MS);
    silent.link.isCut = true;

    await clock.advance(leaseTimeoutMs(LEASE_MS));
    expect(log.notes.has(silent.id)).toBe(true);
    expect(silent.membership.isTrusted).toBe(false);
    await clock.advance(2 * BETWEEN_RENEWALS_MS);

    expect([...log.notes.keys()].sort()).toEqual([watcher.id, alive.id].sort());
  });

  it('leaves when it stops, so that no change waits for it', async () => {
    const [staying, leaving] = [await start(), await start()];

    await leaving.membership.beforeApplicationShutdown();

    expect(leaving.membership.isTrusted).toBe(false);
    expect([...log.notes.keys()]).toEqual([staying.id]);
  });
});
