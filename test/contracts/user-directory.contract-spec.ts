import {
  InMemoryUserStore,
  userDirectoryContract,
  type UserDirectorySubject,
} from '../../src/contracts/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { asUserStore } from '../support/user-stores.js';
import { usersOn } from '../support/users.js';

const onRedis = (instance: CacheInstance): UserDirectorySubject => {
  const { directory, accounts } = usersOn(instance);
  return { directory, store: asUserStore(accounts) };
};
const inMemory = (): UserDirectorySubject => {
  const users = new InMemoryUserStore();
  return { directory: users, store: users };
};

describe.each([
  ['Redis', onRedis],
  ['the memory of a test', inMemory],
])('%s', (_, create: (instance: CacheInstance) => UserDirectorySubject) => {
  let instance: CacheInstance;
  beforeAll(async () => (instance = await startCacheInstance(newPrefix())));
  afterAll(async () => instance.close());

  userDirectoryContract({ describe, it }, () => create(instance));
});
