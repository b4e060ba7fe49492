import { randomUUID } from 'node:crypto';

import { Secret } from '../../src/common/secret/index.js';
import { RateLimiter } from '../../src/rate-limit/index.js';
import type { RedisCluster } from '../../src/redis-cluster/index.js';
import { PasswordHasher, UsersService, type UsersOptions } from '../../src/users/index.js';
import { UsersStore } from '../../src/users/users.store.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { dumpKeys, withRedis } from '../support/redis.js';

const password = new Secret('violet engines hum at dawn');

describe('users in Redis', () => {
  let prefix: string;
  let instance: CacheInstance;
  let redis: RedisCluster;
  beforeEach(async () => {
    prefix = newPrefix();
    instance = await startCacheInstance(prefix);
    ({ redis } = instance);
  });
  afterEach(async () => instance.close());

  const store = (): UsersStore => new UsersStore(redis, { isRegistrationOpen: true });
  const users = (hashing: UsersOptions['hashing'] = {}): UsersService => {
    const options: UsersOptions = { isRegistrationOpen: true, hashing };
    return new UsersService(
      new UsersStore(redis, options),
      new PasswordHasher(options),
      new RateLimiter(redis, {}),
      instance.cache,
      options,
    );
  };
  const livesOf = async (suffix: string): Promise<number[]> => {
    const { keys } = await dumpKeys(prefix);
    return withRedis((_, cluster) =>
      Promise.all(keys.filter((key) => key.endsWith(suffix)).map((key) => cluster.pttl(key))),
    );
  };

  it('keep a name that was confirmed, though its claim arrives once more, late', async () => {
    const userId = randomUUID();
    await store().claimName('ada', userId);
    expect((await livesOf(':owner'))[0]).toBeGreaterThan(0);
    await store().confirmName('ada', userId);

    expect(await store().claimName('ada', userId)).toBe(true);

    expect(await livesOf(':owner')).toEqual([-1]);
  });

  it('do not come back, though every write of their life arrives once more, late', async () => {
    const registration = { username: 'ada', password };
    const userId = randomUUID();
    await store().create(userId, registration, 'hash');
    const user = (await store().confirm(userId))!;
    expect(await store().delete(userId)).toBe(true);

    await store().create(userId, registration, 'hash');
    await store().change(userId, { fields: { email: 'ada@example.com' } }, '1');
    await store().renewHash(user, 'other');

    expect(await store().confirm(userId)).toBeUndefined();
    expect(await store().find(userId)).toBeUndefined();
    expect(await store().delete(userId)).toBe(true);
    expect((await livesOf(':record'))[0]).toBeGreaterThan(0);
  });

  it('are not changed back by a change that comes late, and not twice by one that is sent twice', async () => {
    const userId = randomUUID();
    await store().create(userId, { username: 'ada', password }, 'hash');
    await store().confirm(userId);
    const change = async (disabled: number, sequence: string): Promise<string> =>
      (await store().change(userId, { fields: { disabled }, endsSessions: true }, sequence))
        .outcome;

    expect(await change(1, '20')).toBe('changed');
    expect(await change(0, '10')).toBe('overtaken');
    expect(await store().find(userId)).toMatchObject({ isDisabled: true });
    expect(await change(0, '20')).toBe('changed');
    expect(await store().find(userId)).toMatchObject({ isDisabled: true });
    expect(await change(0, '30')).toBe('changed');
    expect(await store().find(userId)).toMatchObject({ isDisabled: false });
  });

  it('take all of fifty changes that come at once', async () => {
    const registered = await users().register({ username: 'ada', password });
    const { id } = (registered as { user: { id: string } }).user;
    const service = users();

    const changed = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        service.change(id, index % 2 === 0 ? { displayName: 'Ada' } : { email: 'a@example.com' }),
      ),
    );

    expect(changed.every(Boolean)).toBe(true);
    expect(await store().find(id)).toMatchObject({ displayName: 'Ada', email: 'a@example.com' });
  });

  it('keep their name when another claims it, for as long as they exist', async () => {
    await users().register({ username: 'ada', password });

    expect(await store().claimName('ada', randomUUID())).toBe(false);
    await store().releaseName('ada', randomUUID());
    expect(await store().findByName('ADA')).toMatchObject({ username: 'ada' });
  });

  it('get a new hash at login when the parameters have risen, and never a weaker one', async () => {
    const weak = { memoryKib: 8192, passes: 2 };
    const hashOf = async (): Promise<string> =>
      (await store().findByName('ada'))!.passwordHash.reveal();
    await users(weak).register({ username: 'ada', password });
    expect(await hashOf()).toContain('m=8192,t=2');

    await users().checkCredentials('ada', new Secret('wrong'));
    expect(await hashOf()).toContain('m=8192,t=2');
    expect((await users().checkCredentials('ada', password)).outcome).toBe('right');
    expect(await hashOf()).toContain('m=19456,t=2');

    expect((await users(weak).checkCredentials('ada', password)).outcome).toBe('right');
    expect(await hashOf()).toContain('m=19456,t=2');
  });
});
