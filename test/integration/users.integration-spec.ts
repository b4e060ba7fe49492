import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { RateLimiter } from '../../src/rate-limit/index.js';
import type { RedisCluster } from '../../src/redis-cluster/index.js';
import {
  Argon2PasswordHasher,
  HashingQueue,
  UsersService,
  type UsersOptions,
} from '../../src/users/index.js';
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
      new HashingQueue(new Argon2PasswordHasher(hashing), options),
      new RateLimiter(redis, {}),
      instance.cache,
      instance.clock,
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
    await store().claimName('ada', userId, Deadline.none);
    expect((await livesOf(':owner'))[0]).toBeGreaterThan(0);
    await store().confirmName('ada', userId, Deadline.none);

    expect(await store().claimName('ada', userId, Deadline.none)).toBe(true);

    expect(await livesOf(':owner')).toEqual([-1]);
  });

  it('do not come back, though every write of their life arrives once more, late', async () => {
    const registration = { username: 'ada', password };
    const userId = randomUUID();
    await store().create(userId, registration, 'hash', Deadline.none);
    const user = (await store().confirm(userId, Deadline.none))!;
    expect(await store().delete(userId, undefined, Deadline.none)).toBe(true);

    await store().create(userId, registration, 'hash', Deadline.none);
    await store().change(userId, { fields: { email: 'ada@example.com' } }, '1', Deadline.none);
    await store().renewHash(user, 'other', Deadline.none);

    expect(await store().confirm(userId, Deadline.none)).toBeUndefined();
    expect(await store().find(userId, Deadline.none)).toBeUndefined();
    expect(await store().delete(userId, undefined, Deadline.none)).toBe(true);
    expect((await livesOf(':record'))[0]).toBeGreaterThan(0);
  });

  it('are not changed back by a change that comes late, and not twice by one that is sent twice', async () => {
    const userId = randomUUID();
    await store().create(userId, { username: 'ada', password }, 'hash', Deadline.none);
    await store().confirm(userId, Deadline.none);
    const change = async (disabled: number, sequence: string): Promise<string> =>
      (
        await store().change(
          userId,
          { fields: { disabled }, endsSessions: true },
          sequence,
          Deadline.none,
        )
      ).outcome;

    expect(await change(1, '20')).toBe('changed');
    expect(await change(0, '10')).toBe('overtaken');
    expect(await store().find(userId, Deadline.none)).toMatchObject({ isDisabled: true });
    expect(await change(0, '20')).toBe('changed');
    expect(await store().find(userId, Deadline.none)).toMatchObject({ isDisabled: true });
    expect(await change(0, '30')).toBe('changed');
    expect(await store().find(userId, Deadline.none)).toMatchObject({ isDisabled: false });
  });

  it('take all of fifty changes that come at once', async () => {
    const registered = await users().register({ username: 'ada', password }, Deadline.none);
    const { id } = (registered as { user: { id: string } }).user;
    const service = users();

    const changed = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        service.change(
          id,
          index % 2 === 0 ? { displayName: 'Ada' } : { email: 'a@example.com' },
          Deadline.none,
        ),
      ),
    );

    expect(changed.every(Boolean)).toBe(true);
    expect(await store().find(id, Deadline.none)).toMatchObject({
      displayName: 'Ada',
      email: 'a@example.com',
    });
  });

  it('keep their name when another claims it, for as long as they exist', async () => {
    await users().register({ username: 'ada', password }, Deadline.none);

    expect(await store().claimName('ada', randomUUID(), Deadline.none)).toBe(false);
    await store().releaseName('ada', randomUUID(), Deadline.none);
    expect(await store().findByName('ADA', Deadline.none)).toMatchObject({ username: 'ada' });
  });

  it('get a new hash at login when the parameters have risen, and never a weaker one', async () => {
    const weak = { memoryKib: 8192, passes: 2 };
    const hashOf = async (): Promise<string> =>
      (await store().findByName('ada', Deadline.none))!.passwordHash.reveal();
    await users(weak).register({ username: 'ada', password }, Deadline.none);
    expect(await hashOf()).toContain('m=8192,t=2');

    await users().checkCredentials('ada', Deadline.none, new Secret('wrong'));
    expect(await hashOf()).toContain('m=8192,t=2');
    expect((await users().checkCredentials('ada', Deadline.none, password)).outcome).toBe('right');
    expect(await hashOf()).toContain('m=19456,t=2');

    expect((await users(weak).checkCredentials('ada', Deadline.none, password)).outcome).toBe(
      'right',
    );
    expect(await hashOf()).toContain('m=19456,t=2');
  });
});
