import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Directory } from '../../src/near-cache/directory.js';
import type { NearCache } from '../../src/near-cache/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../../src/redis-cluster/index.js';
import {
  accountCacheKey,
  accountSubject,
  ServiceAccountReader,
  type AccountState,
} from '../../src/service-accounts/read/index.js';
import { MAX_REVOKED_TOKENS, ServiceAccountStore } from '../../src/service-accounts/write/index.js';
import { connectRedis } from '../support/redis.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';

interface Member {
  readonly instance: CacheInstance;
  readonly reader: ServiceAccountReader;
  readonly store: ServiceAccountStore;
}

describe('service accounts', () => {
  const started: CacheInstance[] = [];
  let prefix: string;
  beforeEach(() => (prefix = newPrefix()));
  afterEach(async () => {
    await Promise.all(started.splice(0).map(async (each) => each.close()));
  });

  const member = async (
    options: Parameters<typeof startCacheInstance>[1] = {},
  ): Promise<Member> => {
    const instance = await startCacheInstance(prefix, options);
    started.push(instance);
    const { redis, cache } = instance;
    return {
      instance,
      reader: new ServiceAccountReader(redis, cache),
      store: new ServiceAccountStore(redis, cache),
    };
  };
  const newAccount = (id: string = randomUUID(), name: string = id) => ({
    id,
    name,
    permissions: ['a:read', 'a:write'],
    audiences: ['keyslot'],
    jwks: { keys: [] },
    secret: { id: randomUUID(), hash: 'x'.repeat(43) },
  });
  const created = async ({ store }: Member): Promise<string> => {
    const account = newAccount();
    expect((await store.create(account, undefined, Deadline.none)).outcome).toBe('done');
    return account.id;
  };
  const stateOf = async ({ reader }: Member, id: string): Promise<AccountState> =>
    reader.stateOf(id, Deadline.none);
  const recalled = ({ reader }: Member, id: string): AccountState | undefined =>
    reader.recall(accountCacheKey(id));
  const disable = async ({ store }: Member, id: string, isDisabled = true): Promise<void> => {
    const result = await store.change(id, { isDisabled }, undefined, Deadline.none);
    expect(result.outcome).toBe('done');
  };
  /** A store whose changes have this id, as in a second run of the same call. */
  const storeOf = ({ instance }: Member, changeId: string): ServiceAccountStore => {
    const cache: Pick<NearCache, 'changeInSlot'> = {
      changeInSlot: async (subject, write, deadline) =>
        (await instance.context.get(Directory).change(subject, changeId, write, deadline)).reply,
    };
    return new ServiceAccountStore(instance.redis, cache as unknown as NearCache);
  };

  it('leave the memory of every instance before their change returns, and no other account does', async () => {
    const [one, two] = [await member(), await member()];
    const [changed, other] = [await created(one), await created(one)];
    for (let round = 0; round < 10; round += 1) {
      await stateOf(two, changed);
      await stateOf(two, other);
      expect([recalled(two, changed), recalled(two, other)]).toEqual([
        expect.objectContaining({ state: 'live' }),
        expect.objectContaining({ state: 'live' }),
      ]);

      await disable(one, changed);

      expect(recalled(two, changed)).toBeUndefined();
      expect(recalled(two, other)).toMatchObject({ state: 'live' });
      expect(await stateOf(two, changed)).toEqual({ state: 'gone' });
      expect(recalled(two, changed)).toEqual({ state: 'gone' });
      await disable(one, changed, false);
    }
  });

  it('are current on an instance that hears nothing, or has no lease', async () => {
    const one = await member();
    const others = [await member({ isDeaf: true }), await member({ mayHoldLease: false })];
    for (const other of others) {
      const id = await created(one);
      expect(await stateOf(other, id)).toMatchObject({ state: 'live' });
      await disable(one, id);
      expect(await stateOf(other, id)).toEqual({ state: 'gone' });
    }
  });

  it('are not held when they are unknown: anybody can ask for any id', async () => {
    const one = await member();
    const redis = await connectRedis();
    const id = randomUUID();

    expect(await stateOf(one, id)).toEqual({ state: 'unknown' });
    expect(await one.store.credentialsOf(id, Deadline.none)).toBeUndefined();

    expect(recalled(one, id)).toBeUndefined();
    const { keys } = one.instance.redis;
    expect(await redis.exists(keys.key(['service-accounts', 'all'], 'holders', id))).toBe(0);
    expect(accountSubject(id)).toBe(`service-accounts.all.${id}`);
    redis.disconnect();
  });

  it('are not available when Redis does not confirm the read', async () => {
    const one = await member();
    const id = await created(one);
    await expect(one.reader.stateOf(id, Deadline.after(0))).rejects.toThrow(RedisUnavailableError);
    expect(recalled(one, id)).toBeUndefined();
  });

  it('are not brought back by a late creation, and created once by a repeated one', async () => {
    const one = await member();
    const account = newAccount();
    const create = async () => storeOf(one, 'creation').create(account, undefined, Deadline.none);
    const first = await create();
    expect(first).toMatchObject({ outcome: 'done' });
    expect(await create()).toEqual(first);
    expect((await one.store.delete(account.id, undefined, Deadline.none)).outcome).toBe('done');

    await expect(create()).rejects.toThrow(NotConfirmedError);

    expect(await one.store.list(Deadline.none)).toEqual([]);
    expect(await stateOf(one, account.id)).toEqual({ state: 'gone' });
  });

  it('are not reverted by a late change, and deleted once by a repeated deletion', async () => {
    const one = await member();
    const id = await created(one);
    const change = async (changeId: string, permissions: string[]) =>
      storeOf(one, changeId).change(id, { permissions }, undefined, Deadline.none);
    expect(await change('first', ['a:read'])).toEqual({ outcome: 'done' });
    expect(await change('second', [])).toEqual({ outcome: 'done' });
    await expect(change('first', ['a:read'])).rejects.toThrow(NotConfirmedError);
    expect(await change('second', ['a:write'])).toEqual({ outcome: 'done' });
    expect((await one.store.find(id, Deadline.none))?.permissions).toEqual([]);

    const remove = async () => storeOf(one, 'removal').delete(id, undefined, Deadline.none);
    expect([await remove(), await remove()]).toEqual([{ outcome: 'done' }, { outcome: 'done' }]);
    expect(await one.store.delete(id, undefined, Deadline.none)).toEqual({ outcome: 'unknown' });
  });

  it('have one new secret after a repeated addition', async () => {
    const one = await member();
    const id = await created(one);
    const secret = { id: randomUUID(), hash: 'y'.repeat(43) };
    const add = async () =>
      storeOf(one, 'addition').addSecret(id, secret, undefined, Deadline.none);
    const first = await add();
    expect(await add()).toEqual(first);
    const { secrets } = (await one.store.find(id, Deadline.none))!;
    expect(
      secrets.map((one) => ({ id: one.id, outcome: 'done', createdAt: one.createdAt })),
    ).toEqual([expect.anything(), { id: secret.id, ...first }]);
  });

  it('keep permissions and audiences apart from empty lists and odd names', async () => {
    const one = await member();
    const account = { ...newAccount(undefined, '{"permissions":"admin"} ｘ'), permissions: [] };
    await one.store.create(account, [], Deadline.none);
    expect(await one.store.find(account.id, Deadline.none)).toMatchObject({
      name: account.name,
      permissions: [],
      audiences: ['keyslot'],
    });
    expect(await stateOf(one, account.id)).toMatchObject({ permissions: [], epoch: 0 });
  });

  it('lose all tokens when they have revoked too many; revoked tokens that have expired are forgotten', async () => {
    const one = await member();
    const id = await created(one);
    const soon = new Date(Date.now() + 600_000);
    const revoke = async (tokenId: string, expiresAt = soon): Promise<boolean> =>
      one.store.revokeToken(id, tokenId, expiresAt, Deadline.none);
    await revoke('expired', new Date(Date.now() - 1000));
    for (let done = 0; done < MAX_REVOKED_TOKENS; done += 50) {
      const batch = Array.from({ length: 50 }, async (_, index) => revoke(`t${done + index}`));
      expect(await Promise.all(batch)).toEqual(batch.map(() => true));
    }
    const full = await stateOf(one, id);
    expect(full).toMatchObject({ state: 'live', epoch: 0 });
    expect(full.state === 'live' && full.revokedTokens.size).toBe(MAX_REVOKED_TOKENS);

    await revoke('one-more');

    expect(await stateOf(one, id)).toMatchObject({ epoch: 1, revokedTokens: new Set() });
    expect(await one.store.revokeToken(randomUUID(), 't', soon, Deadline.none)).toBe(false);
  });
});
