import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { JWK } from 'jose';
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import { Deadline } from '../../common/deadline/index.js';
import { retryUntilDone } from '../../common/retry/index.js';
import { CacheKey, NearCache, type SlotRead } from '../../near-cache/index.js';
import { LuaScript, RedisCluster, RedisUnavailableError } from '../../redis-cluster/index.js';
import { KEY_RING_OPTIONS } from './key-ring.module-definition.js';
import type { KeyRingOptions } from './key-ring.options.js';
import { keySetKey, KEYS_SUBJECT } from './key-set.js';

const PUBLIC_KEYS = new CacheKey<PublicKeys>(KEYS_SUBJECT);

const load = LuaScript.loaderFor(import.meta.url);
const readKeys = load('read-keys', (reply) => reply as StoredKeys);

type StoredKeys = [kid: string, publicJwk: string, issuer: string] | [];

/** The public keys of the cluster, in the memory of this instance. */
export interface PublicKeys {
  readonly issuer: string;
  /** By key id (`kid`). The object of an unchanged key stays the same, so that keys can be compared by identity. */
  readonly byId: ReadonlyMap<string, KeyObject>;
  /** The published set (RFC 7517 section 5). */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/**
 * Reads the public keys that verify tokens, and caches them in the near cache. It creates nothing and holds no private key.
 */
@Injectable()
export class KeyRing implements BeforeApplicationShutdown {
  private readonly closing = new AbortController();
  /** The last keys with their stored text. The same text yields the same objects. */
  private last: { readonly text: string; readonly keys: PublicKeys } | undefined;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    @Inject(KEY_RING_OPTIONS) private readonly options: KeyRingOptions,
  ) {
    cache.keepApartFrom(KEYS_SUBJECT);
  }

  /** @returns the keys, if they are in memory and may be trusted. It never asks Redis */
  recall(): PublicKeys | undefined {
    return this.cache.peek(PUBLIC_KEYS, { isCounted: false });
  }

  /**
   * @returns the keys that verify tokens, from memory or from Redis
   * @throws RedisUnavailableError also while the cluster has no key
   */
  async current(deadline: Deadline): Promise<PublicKeys> {
    return this.cache.getFromSlot(PUBLIC_KEYS, async (read) => this.load(read, deadline), {
      isCounted: false,
      isLasting: true,
    });
  }

  /** Returns the last loaded keys, which may be out of date. Loads them from Redis if there are none. */
  async published(deadline: Deadline): Promise<PublicKeys> {
    return this.last?.keys ?? this.current(deadline);
  }

  get isLoaded(): boolean {
    return this.last !== undefined;
  }

  /** Waits without a time limit until the cluster has a key and it is loaded, or the application closes. */
  async untilLoaded(): Promise<void> {
    await retryUntilDone(async () => Boolean(await this.current(Deadline.none)), {
      isTransient: () => true,
      signal: this.closing.signal,
    });
  }

  beforeApplicationShutdown(): void {
    this.closing.abort();
  }

  private async load(read: SlotRead, deadline: Deadline): Promise<PublicKeys> {
    const keys = [keySetKey(this.redis.keys, 'set'), keySetKey(this.redis.keys, 'fence')];
    const stored = await read({ script: readKeys, keys, args: [] }, deadline);
    if (stored.length === 0) {
      throw new RedisUnavailableError('the cluster has no signing key yet');
    }
    const [kid, publicJwk, issuer] = stored;
    const text = JSON.stringify(stored);
    if (this.last?.text !== text) {
      const jwk = JSON.parse(publicJwk) as JWK;
      const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
      this.last = {
        text,
        keys: {
          issuer: this.options.issuer ?? issuer,
          byId: new Map([[kid, key]]),
          jwks: { keys: [jwk] },
        },
      };
    }
    return this.last.keys;
  }
}
