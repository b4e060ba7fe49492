import { Injectable } from '@nestjs/common';

import type { Permission } from '../../common/authentication/index.js';
import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import { CacheKey, CHANGE_NUMBER, NearCache, type SlotWrite } from '../../near-cache/index.js';
import { LuaScript, NotConfirmedError, RedisCluster } from '../../redis-cluster/index.js';
import { AccountKeys, accountSubject } from '../read/index.js';
import {
  DELETED_MARK_TTL_MS,
  MAX_REVOKED_TOKENS,
  MAX_SECRETS,
  MAX_SERVICE_ACCOUNTS,
} from './account-limits.js';
import type { ClientKeySet } from './public-keys.js';
import {
  accountCredentialsOf,
  accountOf,
  type AccountCredentials,
  type ServiceAccount,
} from './service-account.js';

const load = LuaScript.loaderFor(import.meta.url);
const parseReply = (reply: unknown): Reply => reply as Reply;
const scripts = {
  create: load('create-account', parseReply),
  change: load('change-account', parseReply),
  delete: load('delete-account', parseReply),
  addSecret: load('add-secret', parseReply),
  removeSecret: load('remove-secret', parseReply),
  revokeToken: load('revoke-account-token', (reply) => reply === 1),
  list: load('list-accounts', (reply) => reply as [string[], string[]]),
  find: load('find-account', (reply) => reply as string[]),
};

type Reply =
  | ['done', createdAt?: number]
  | ['repeated' | 'overtaken' | 'unknown' | 'name-taken' | 'full']
  | ['beyond', permission: string];

/** The permissions that a caller may grant; undefined for all. */
export type Grantable = readonly Permission[] | undefined;

export interface NewAccount {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly audiences: readonly string[];
  readonly jwks: ClientKeySet;
  readonly secret?: NewSecret;
}

export interface NewSecret {
  readonly id: string;
  /** SHA-256 of the secret, in base64url. */
  readonly hash: string;
}

export interface AccountChange {
  readonly name?: string | undefined;
  readonly permissions?: readonly Permission[] | undefined;
  readonly audiences?: readonly string[] | undefined;
  readonly isDisabled?: boolean | undefined;
  readonly jwks?: ClientKeySet | undefined;
}

export type AccountWriteResult =
  /** `createdAt`: of the new account or secret. */
  | { readonly outcome: 'done'; readonly createdAt?: Date }
  | { readonly outcome: 'unknown' | 'name-taken' | 'full' }
  /** The account has this permission before or after the change, and the caller may not grant it. */
  | { readonly outcome: 'beyond'; readonly permission: Permission };

/**
 * Stores service accounts and their credentials. When a method that changes an account returns, no instance uses the old state.
 *
 * All methods that write throw NotConfirmedError: repeating the call is safe.
 */
@Injectable()
export class ServiceAccountStore {
  private readonly keys: AccountKeys;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
  ) {
    this.keys = new AccountKeys(redis.keys);
  }

  /** @throws RedisUnavailableError */
  async list(deadline: Deadline): Promise<ServiceAccount[]> {
    const { accounts, credentials, fence } = this.keys;
    const keys = [accounts, credentials, fence];
    const [stored, secrets] = await this.redis.readConfirmed(scripts.list, keys, [], deadline);
    const credentialsById = new Map(pairsOf(secrets));
    return pairsOf(stored)
      .map(([id, account]) => accountOf(id, account, credentialsById.get(id) ?? ''))
      .toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime());
  }

  /** @throws RedisUnavailableError */
  async find(id: string, deadline: Deadline): Promise<ServiceAccount | undefined> {
    const { keys, script, args } = this.findCall(id);
    const [account, credentials = ''] = await this.redis.readConfirmed(
      script,
      keys,
      args,
      deadline,
    );
    return account === undefined ? undefined : accountOf(id, account, credentials);
  }

  /** @returns what authenticates an account, if it is in memory. It never asks Redis */
  recallCredentials(id: string): AccountCredentials | undefined {
    return this.cache.peek(credentialsKey(id), { isCounted: false }) ?? undefined;
  }

  /**
   * Returns what authenticates an account, from memory or from Redis.
   *
   * @throws RedisUnavailableError
   */
  async credentialsOf(id: string, deadline: Deadline): Promise<AccountCredentials | undefined> {
    const found = await this.cache.getFromSlot(
      credentialsKey(id),
      async (read) => {
        const [account, credentials = ''] = await read(this.findCall(id), deadline);
        return account === undefined ? null : accountCredentialsOf(id, account, credentials);
      },
      { isCounted: false },
    );
    return found ?? undefined;
  }

  async create(
    { id, name, permissions, audiences, jwks, secret }: NewAccount,
    grantable: Grantable,
    deadline: Deadline,
  ): Promise<AccountWriteResult> {
    const { accounts, names, credentials } = this.keys;
    const secrets = secret ? { [secret.id]: { hash: secret.hash, createdAt: 0 } } : {};
    const account = { name, permissions: permissions.join(' '), audiences: audiences.join(' ') };
    return this.write(
      id,
      {
        script: scripts.create,
        keys: [accounts, names, credentials, this.keys.deleted(id)],
        args: [
          // It makes each script idempotent.
          CHANGE_NUMBER,
          id,
          JSON.stringify(account),
          nameDigest(name),
          JSON.stringify({ secrets, jwks: textOf(jwks) }),
          grantableText(grantable),
          MAX_SERVICE_ACCOUNTS,
        ],
      },
      deadline,
    );
  }

  async change(
    id: string,
    { name, permissions, audiences, isDisabled, jwks }: AccountChange,
    grantable: Grantable,
    deadline: Deadline,
  ): Promise<AccountWriteResult> {
    const { accounts, names, credentials } = this.keys;
    const members = {
      name,
      permissions: permissions?.join(' '),
      audiences: audiences?.join(' '),
      disabled: isDisabled,
    };
    return this.write(
      id,
      {
        script: scripts.change,
        keys: [accounts, names, credentials],
        args: [
          CHANGE_NUMBER,
          id,
          JSON.stringify(members),
          name === undefined ? '' : nameDigest(name),
          jwks ? textOf(jwks) : '-',
          grantableText(grantable),
        ],
      },
      deadline,
    );
  }

  async delete(id: string, grantable: Grantable, deadline: Deadline): Promise<AccountWriteResult> {
    const { accounts, names, credentials } = this.keys;
    return this.write(
      id,
      {
        script: scripts.delete,
        keys: [accounts, names, credentials, this.keys.deleted(id)],
        args: [CHANGE_NUMBER, id, grantableText(grantable), DELETED_MARK_TTL_MS],
      },
      deadline,
    );
  }

  async addSecret(
    id: string,
    secret: NewSecret,
    grantable: Grantable,
    deadline: Deadline,
  ): Promise<AccountWriteResult> {
    const keys = [this.keys.accounts, this.keys.credentials];
    const limit = grantableText(grantable);
    const args = [CHANGE_NUMBER, id, secret.id, secret.hash, limit, MAX_SECRETS] as const;
    return this.write(id, { script: scripts.addSecret, keys, args }, deadline);
  }

  async removeSecret(
    id: string,
    secretId: string,
    grantable: Grantable,
    deadline: Deadline,
  ): Promise<AccountWriteResult> {
    const keys = [this.keys.accounts, this.keys.credentials];
    const args = [CHANGE_NUMBER, id, secretId, grantableText(grantable)] as const;
    return this.write(id, { script: scripts.removeSecret, keys, args }, deadline);
  }

  /**
   * Revokes one access token of an account (RFC 7009).
   *
   * @param expiresAt when the token would have expired
   * @returns whether there is such an account
   */
  async revokeToken(
    id: string,
    tokenId: string,
    expiresAt: Date,
    deadline: Deadline,
  ): Promise<boolean> {
    const keys = [this.keys.accounts, this.keys.fence];
    const args = [id, tokenId, expiresAt.getTime(), MAX_REVOKED_TOKENS];
    const write = { script: scripts.revokeToken, keys, args };
    return this.cache.changeInSlot(accountSubject(id), write, deadline);
  }

  private findCall(id: string) {
    const { accounts, credentials, fence } = this.keys;
    return { script: scripts.find, keys: [accounts, credentials, fence], args: [id] };
  }

  private async write(
    id: string,
    write: SlotWrite<Reply>,
    deadline: Deadline,
  ): Promise<AccountWriteResult> {
    const [outcome, detail] = await this.cache.changeInSlot(accountSubject(id), write, deadline);
    switch (outcome) {
      case 'overtaken':
        throw new NotConfirmedError('another change of the account was made at the same time');
      case 'beyond':
        return { outcome, permission: String(detail) };
      case 'done':
      case 'repeated':
        return detail === undefined
          ? { outcome: 'done' }
          : { outcome: 'done', createdAt: new Date(Number(detail)) };
      case 'unknown':
      case 'name-taken':
      case 'full':
        return { outcome };
    }
  }
}

function credentialsKey(id: string): CacheKey<AccountCredentials | null> {
  return new CacheKey(accountSubject(id), 'credentials');
}

/** Names that differ only in case or in their encoding are equal. */
function nameDigest(name: string): string {
  return sha256(name.normalize('NFKC').toLowerCase());
}

function textOf(jwks: ClientKeySet): string {
  return jwks.keys.length === 0 ? '' : JSON.stringify(jwks);
}

function grantableText(grantable: Grantable): string {
  return grantable ? JSON.stringify(grantable) : '';
}

function pairsOf(list: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    pairs.push([list[index]!, list[index + 1]!]);
  }
  return pairs;
}
