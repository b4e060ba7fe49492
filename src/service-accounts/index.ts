export {
  ServiceAccountAdministration,
  type AccountChangeOutcome,
  type AccountCreationOutcome,
  type AccountDeletionOutcome,
  type AccountRefusal,
  type AccountRequest,
  type InvalidAccount,
  type NewClientSecret,
  type SecretCreationOutcome,
} from './service-account-administration.js';
export { isOneOf } from './client-secret.js';
export { ServiceAccountsModule } from './service-accounts.module.js';
export type { ServiceAccountsOptions } from './service-accounts.options.js';
export {
  algorithmsOf,
  CLIENT_ALGORITHMS,
  ServiceAccountStore,
  type AccountChange,
  type AccountCredentials,
  type AccountSecret,
  type ClientKey,
  type ClientKeySet,
  type ServiceAccount,
} from './write/index.js';
