export * from './account-limits.js';
export {
  algorithmsOf,
  CLIENT_ALGORITHMS,
  publicKeySet,
  publicKeysOf,
  type ClientKey,
  type ClientKeySet,
} from './public-keys.js';
export {
  ServiceAccountStore,
  type AccountChange,
  type AccountWriteResult,
  type Grantable,
} from './service-account.store.js';
export type { AccountCredentials, AccountSecret, ServiceAccount } from './service-account.js';
