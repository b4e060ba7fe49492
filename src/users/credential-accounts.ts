import type { CredentialAccounts } from '../credentials/index.js';
import { findByUsername, locate } from './find-by-username.js';
import { canonicalUsername } from './names/username.js';
import type { Accounts } from './store/accounts.js';

/** The accounts as credentials see them. */
export function credentialAccounts(accounts: Accounts): CredentialAccounts {
  return {
    canonicalName: canonicalUsername,
    findByName: async (username, deadline) => findByUsername(accounts, username, deadline),
    locate: async (username, deadline) => locate(accounts, username, deadline),
    find: async (userId, deadline) => accounts.find(userId, deadline),
    reload: async (userId, deadline) => accounts.reload(userId, deadline),
    prepareLogin: async (user, deadline) => accounts.prepareLogin(user, deadline),
    renewHash: async (...args) => accounts.renewHash(...args),
  };
}
