import { InMemoryUserStore, userStoreContract } from '../../src/contracts/index.js';
import { add, changed, HASH } from '../../src/contracts/user-store-samples.js';
import type { UserStore } from '../../src/users/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { asUserStore } from '../support/user-stores.js';
import { usersOn } from '../support/users.js';

describe.each([
  ['Redis', (instance: CacheInstance) => asUserStore(usersOn(instance).redisStore)],
  ['the memory of a test', () => new InMemoryUserStore()],
])('%s', (_, create: (instance: CacheInstance) => UserStore) => {
  let instance: CacheInstance;
  beforeAll(async () => (instance = await startCacheInstance(newPrefix())));
  afterAll(async () => instance.close());

  userStoreContract({ describe, it }, () => create(instance));

  it('records the time of a password change, which is optional for a store', async () => {
    const store = create(instance);
    const { id } = await add(store);

    const user = await changed(store, id, { password: { hash: HASH, version: 2 } });

    expect(user.passwordChangedAt).toEqual(user.updatedAt);
  });
});
