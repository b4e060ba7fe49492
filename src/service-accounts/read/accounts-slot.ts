import { CacheKey } from '../../near-cache/index.js';
import type { KeyBuilder } from '../../redis-cluster/index.js';
import type { AccountState } from './account-state.js';

const TAG = ['service-accounts', 'all'] as const;

/**
 * The near cache subject of a service account. All accounts share a slot, so that one script can check names and count accounts,
 * and list them. Each account has a directory of its own, so that a change concerns only instances that hold this account.
 */
export const accountSubject = (id: string): string => `${TAG.join('.')}.${id}`;

/** Names the state of an account in the near cache. */
export const accountCacheKey = (id: string): AccountKey => new CacheKey(accountSubject(id));

export type AccountKey = CacheKey<AccountState>;

/** The keys of the slot of all service accounts. */
export class AccountKeys {
  /** A hash of id to JSON: see `StoredAccount`. */
  readonly accounts: string;
  /** A hash of the digest of a name to the id of its account. */
  readonly names: string;
  /** A hash of id to JSON: see `StoredCredentials`. A process that only checks tokens does not read it. */
  readonly credentials: string;
  readonly fence: string;

  constructor(private readonly keys: KeyBuilder) {
    this.accounts = keys.key(TAG, 'accounts');
    this.names = keys.key(TAG, 'names');
    this.credentials = keys.key(TAG, 'credentials');
    this.fence = keys.key(TAG, 'fence');
  }

  /** The mark of a deleted account: the number of the change that deleted it. */
  deleted(id: string): string {
    return this.keys.key(TAG, 'deleted', id);
  }
}

/** The stored value of an account, as JSON. Lists are texts with spaces, because Lua does not distinguish empty lists and maps. */
export interface StoredAccount {
  readonly name: string;
  /** SHA-256 of the folded name, which is unique. */
  readonly nameDigest: string;
  /** Separated by spaces. */
  readonly permissions: string;
  /** Separated by spaces. */
  readonly audiences: string;
  /** Absent means false. */
  readonly disabled?: boolean;
  /** Tokens of an earlier epoch are refused. Absent means 0. */
  readonly epoch?: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Number of the last change, from the near cache. */
  readonly change: string;
  /** Ids (`jti`) of revoked access tokens, and when each expires. */
  readonly revoked?: Readonly<Record<string, number>>;
}

/** The stored value of the credentials of an account, as JSON. */
export interface StoredCredentials {
  /** By id. The hash is SHA-256 in base64url. */
  readonly secrets: Readonly<Record<string, { readonly hash: string; readonly createdAt: number }>>;
  /** Public keys: a JWK Set, as JSON. '' for none. */
  readonly jwks: string;
}
