import type { Deadline } from '../../common/deadline/index.js';
import type { NearCache, SlotCall } from '../../near-cache/index.js';
import {
  LuaScript,
  NotConfirmedError,
  RedisUnavailableError,
  type RedisCluster,
} from '../../redis-cluster/index.js';
import type { AccountState } from './account-state.js';
import { accountCacheKey, AccountKeys, accountSubject, type AccountKey } from './accounts-slot.js';

const load = LuaScript.loaderFor(import.meta.url);
const readAccount = load('read-account', parseState);

/** Shared by all accounts. */
const NO_TOKENS: ReadonlySet<string> = new Set();

/** Reads whether the tokens of service accounts are accepted, from the near cache or from Redis. It reads no secret. */
export class ServiceAccountReader {
  private readonly keys: AccountKeys;

  constructor(
    redis: RedisCluster,
    private readonly cache: NearCache,
  ) {
    this.keys = new AccountKeys(redis.keys);
  }

  /** @returns the state from memory, if memory has it and may be trusted. It never asks Redis */
  recall(key: AccountKey): AccountState | undefined {
    return this.cache.peek(key);
  }

  /**
   * @param onLookup called when this call asks Redis, but not when it shares the look-up of another request
   * @returns the state, from memory or from Redis
   * @throws RedisUnavailableError
   */
  async stateOf(
    id: string,
    deadline: Deadline,
    onLookup: () => void = () => undefined,
  ): Promise<AccountState> {
    return this.cache.getFromSlot(accountCacheKey(id), async (read) => {
      onLookup();
      const state = await read(this.callOf(id), deadline);
      if (state.state === 'gone') {
        await this.settle(id, deadline);
      }
      return state;
    });
  }

  /**
   * Reads the state from Redis, and registers this instance as a holder: the next change then calls the listeners of the account
   * (`onDrop`).
   *
   * @throws RedisUnavailableError
   */
  async checkAndWatch(id: string, deadline: Deadline): Promise<AccountState> {
    return this.cache.readAsHolder(accountSubject(id), this.callOf(id), deadline);
  }

  private callOf(id: string): SlotCall<AccountState> {
    const keys = [this.keys.accounts, this.keys.deleted(id), this.keys.fence];
    return { script: readAccount, keys, args: [id] };
  }

  /** The call that disabled or deleted the account may have failed before every instance acknowledged it. */
  private async settle(id: string, deadline: Deadline): Promise<void> {
    try {
      await this.cache.settle(accountSubject(id), deadline);
    } catch (error) {
      // For the caller this is a look-up that failed.
      throw error instanceof NotConfirmedError
        ? new RedisUnavailableError('the service account could not be read', { cause: error })
        : error;
    }
  }
}

function parseState(reply: unknown): AccountState {
  const [state, epoch, permissions, audiences, revoked] = reply as [
    AccountState['state'],
    ...string[],
  ];
  if (state !== 'live') {
    return { state };
  }
  const tokens = Object.keys(JSON.parse(revoked ?? '{}') as object);
  return {
    state,
    epoch: Number(epoch),
    permissions: wordsOf(permissions),
    audiences: wordsOf(audiences),
    revokedTokens: tokens.length > 0 ? new Set(tokens) : NO_TOKENS,
  };
}

/** @returns the words of a stored list */
export function wordsOf(text = ''): readonly string[] {
  return text === '' ? [] : text.split(' ');
}
