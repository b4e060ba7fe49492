import { InMemoryUserStore, userStoreContract } from '../../src/contracts/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { asUserStore } from '../support/user-stores.js';
import { usersOn } from '../support/users.js';

describe('Redis', () => {
  let instance: CacheInstance;
  beforeAll(async () => (instance = await startCacheInstance(newPrefix())));
  afterAll(async () => instance.close());

  userStoreContract({ describe, it }, () => asUserStore(usersOn(instance).redisStore));
});

describe('the memory of a test', () => {
  userStoreContract({ describe, it }, () => new InMemoryUserStore());
});
