/** The read side, for guards. It imports nothing from the write side, and reads no secret. */
export { acceptsToken, type AccountState } from './account-state.js';
export {
  accountCacheKey,
  AccountKeys,
  accountSubject,
  type AccountKey,
  type StoredAccount,
  type StoredCredentials,
} from './accounts-slot.js';
export { ServiceAccountReader, wordsOf } from './service-account.reader.js';
