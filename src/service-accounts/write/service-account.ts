import type { Permission } from '../../common/authentication/index.js';
import { wordsOf, type StoredAccount, type StoredCredentials } from '../read/index.js';
import type { ClientKeySet } from './public-keys.js';

/** A service account, without the hashes of its secrets. */
export interface ServiceAccount {
  /** Also the client id, and the subject of its tokens. */
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
  /** The audiences that it may ask for. The first one is the default. */
  readonly audiences: readonly string[];
  readonly isDisabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly secrets: readonly AccountSecret[];
  /** The keys with which it can authenticate (`private_key_jwt`). */
  readonly jwks: ClientKeySet;
}

export interface AccountSecret {
  readonly id: string;
  readonly createdAt: Date;
}

/** A service account with what authenticates it. */
export interface AccountCredentials {
  readonly id: string;
  readonly isDisabled: boolean;
  readonly permissions: readonly Permission[];
  readonly audiences: readonly string[];
  /** The epoch of new tokens. */
  readonly epoch: number;
  /** SHA-256 digests of the secrets. */
  readonly secretHashes: readonly Buffer[];
  readonly jwks: ClientKeySet;
}

export function accountOf(id: string, account: string, credentials: string): ServiceAccount {
  const stored = JSON.parse(account) as StoredAccount;
  const { secrets, jwks } = credentialsOf(credentials);
  return {
    id,
    name: stored.name,
    permissions: wordsOf(stored.permissions),
    audiences: wordsOf(stored.audiences),
    isDisabled: stored.disabled === true,
    createdAt: new Date(stored.createdAt),
    updatedAt: new Date(stored.updatedAt),
    secrets: Object.entries(secrets)
      .map(([secretId, { createdAt }]) => ({ id: secretId, createdAt: new Date(createdAt) }))
      .toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime()),
    jwks: keysOf(jwks),
  };
}

export function accountCredentialsOf(
  id: string,
  account: string,
  credentials: string,
): AccountCredentials {
  const stored = JSON.parse(account) as StoredAccount;
  const { secrets, jwks } = credentialsOf(credentials);
  return {
    id,
    isDisabled: stored.disabled === true,
    permissions: wordsOf(stored.permissions),
    audiences: wordsOf(stored.audiences),
    epoch: stored.epoch ?? 0,
    secretHashes: Object.values(secrets).map(({ hash }) => Buffer.from(hash, 'base64url')),
    jwks: keysOf(jwks),
  };
}

function credentialsOf(text: string): StoredCredentials {
  return text === '' ? { secrets: {}, jwks: '' } : (JSON.parse(text) as StoredCredentials);
}

function keysOf(text: string): ClientKeySet {
  return text === '' ? { keys: [] } : (JSON.parse(text) as ClientKeySet);
}
