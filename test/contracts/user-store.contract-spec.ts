import { userStoreContract } from '../../src/contracts/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { usersOn } from '../support/users.js';

describe('Redis', () => {
  let instance: CacheInstance;
  beforeAll(async () => (instance = await startCacheInstance(newPrefix())));
  afterAll(async () => instance.close());

  userStoreContract({ describe, it }, () => usersOn(instance).accounts);
});

describe('another store, mirrored in Redis', () => {
  let store: CacheInstance;
  let instance: CacheInstance;
  beforeAll(async () => {
    store = await startCacheInstance(newPrefix());
    instance = await startCacheInstance(newPrefix());
  });
  afterAll(async () => Promise.all([store.close(), instance.close()]));

  userStoreContract(
    { describe, it },
    () => usersOn(instance, {}, usersOn(store).accounts).accounts,
  );
});
