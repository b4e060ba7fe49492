import { InMemoryUserStore, userStoreContract } from '../../src/contracts/index.js';
import { add, changed, HASH } from '../../src/contracts/user-store-samples.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { asUserStore } from '../support/user-stores.js';
import { usersOn } from '../support/users.js';

describe('Redis', () => {
  let instance: CacheInstance;
  beforeAll(async () => (instance = await startCacheInstance(newPrefix())));
  afterAll(async () => instance.close());

  userStoreContract({ describe, it }, () => asUserStore(usersOn(instance).redisStore));

  it('notes when a password was changed, which a store need not', async () => {
    const store = asUserStore(usersOn(instance).redisStore);
    const { id } = await add(store);

    const user = await changed(store, id, { password: { hash: HASH, version: 2 } });

    expect(user.passwordChangedAt).toEqual(user.updatedAt);
  });
});

describe('the memory of a test', () => {
  userStoreContract({ describe, it }, () => new InMemoryUserStore());
});
