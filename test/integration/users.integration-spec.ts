import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import type { NewUser, UsersOptions } from '../../src/users/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { dumpKeys, withRedis } from '../support/redis.js';
import { usersOn, type TestUsers } from '../support/users.js';

const password = new Secret('violet engines hum at dawn');
const hash = new Secret('hash');

describe('users in Redis', () => {
  let prefix: string;
  let instance: CacheInstance;
  beforeEach(async () => {
    prefix = newPrefix();
    instance = await startCacheInstance(prefix);
  });
  afterEach(async () => instance.close());

  const records = (): TestUsers['records'] => usersOn(instance).records;
  const using = (hashing: UsersOptions['hashing'] = {}): TestUsers =>
    usersOn(instance, { hashing });
  const newUser = (): NewUser => ({
    ...{ id: randomUUID(), username: 'ada', usernameKey: 'ada', email: null, displayName: null },
    roles: [],
  });
  const livesOf = async (suffix: string): Promise<number[]> => {
    const { keys } = await dumpKeys(prefix);
    return withRedis((_, cluster) =>
      Promise.all(keys.filter((key) => key.endsWith(suffix)).map((key) => cluster.pttl(key))),
    );
  };

  it('keep a name that was confirmed, though its claim arrives once more, late', async () => {
    const userId = randomUUID();
    await records().claimName('ada', userId, Deadline.none);
    expect((await livesOf(':owner'))[0]).toBeGreaterThan(0);
    await records().confirmName('ada', userId, Deadline.none);

    expect(await records().claimName('ada', userId, Deadline.none)).toBe(true);

    expect(await livesOf(':owner')).toEqual([-1]);
  });

  it('do not come back, though every write of their life arrives once more, late', async () => {
    const user = newUser();
    const userId = user.id;
    await records().create(user, hash, Deadline.none);
    await records().confirm(userId, Deadline.none);
    expect(await records().delete(userId, {}, Deadline.none)).toEqual({
      outcome: 'removed',
      username: 'ada',
    });

    await records().create(user, hash, Deadline.none);
    await records().change(userId, { email: 'ada@example.com' }, '1', Deadline.none);
    await records().renewHash(userId, hash, new Secret('other'), Deadline.none);

    expect(await records().confirm(userId, Deadline.none)).toBeUndefined();
    expect(await records().find(userId, Deadline.none)).toBeUndefined();
    expect(await records().delete(userId, {}, Deadline.none)).toEqual({ outcome: 'removed' });
    expect((await livesOf(':record'))[0]).toBeGreaterThan(0);
  });

  it('are not changed back by a change that comes late, and not twice by one that is sent twice', async () => {
    const user = newUser();
    const userId = user.id;
    await records().create(user, hash, Deadline.none);
    await records().confirm(userId, Deadline.none);
    const change = async (isDisabled: boolean, sequence: string): Promise<string> =>
      (await records().change(userId, { isDisabled, endsSessions: true }, sequence, Deadline.none))
        .outcome;

    expect(await change(true, '20')).toBe('changed');
    expect(await change(false, '10')).toBe('overtaken');
    expect(await records().find(userId, Deadline.none)).toMatchObject({ isDisabled: true });
    expect(await change(false, '20')).toBe('changed');
    expect(await records().find(userId, Deadline.none)).toMatchObject({ isDisabled: true });
    expect(await change(false, '30')).toBe('changed');
    expect(await records().find(userId, Deadline.none)).toMatchObject({ isDisabled: false });
  });

  it('take all of fifty changes that come at once', async () => {
    const registered = await using().users.register({ username: 'ada', password }, Deadline.none);
    const { id } = (registered as { user: { id: string } }).user;
    const service = using().administration;

    const changed = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        service.change(
          'system',
          id,
          index % 2 === 0 ? { displayName: 'Ada' } : { email: 'a@example.com' },
          Deadline.none,
        ),
      ),
    );

    expect(changed.every(({ outcome }) => outcome === 'changed')).toBe(true);
    expect(await records().find(id, Deadline.none)).toMatchObject({
      displayName: 'Ada',
      email: 'a@example.com',
    });
  });

  it('keep their name when another claims it, for as long as they exist', async () => {
    await using().users.register({ username: 'ada', password }, Deadline.none);

    expect(await records().claimName('ada', randomUUID(), Deadline.none)).toBe(false);
    await records().releaseName('ada', randomUUID(), Deadline.none);
    expect(await records().findByName('ada', Deadline.none)).toMatchObject({ username: 'ada' });
  });

  it('get a new hash at login when the parameters have risen, and never a weaker one', async () => {
    const weak = { memoryKib: 8192, passes: 2 };
    const hashOf = async (): Promise<string> =>
      (await records().findByName('ada', Deadline.none))!.passwordHash.reveal();
    await using(weak).users.register({ username: 'ada', password }, Deadline.none);
    expect(await hashOf()).toContain('m=8192,t=2');

    await using().credentials.check('ada', Deadline.none, new Secret('wrong'));
    expect(await hashOf()).toContain('m=8192,t=2');
    expect((await using().credentials.check('ada', Deadline.none, password)).outcome).toBe('right');
    expect(await hashOf()).toContain('m=19456,t=2');

    expect((await using(weak).credentials.check('ada', Deadline.none, password)).outcome).toBe(
      'right',
    );
    expect(await hashOf()).toContain('m=19456,t=2');
  });
});
