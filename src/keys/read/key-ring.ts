import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { JWK } from 'jose';
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import { Clock } from '../../common/clock/index.js';
import { Deadline } from '../../common/deadline/index.js';
import { retryUntilDone } from '../../common/retry/index.js';
import { CacheKey, NearCache, type SlotRead } from '../../near-cache/index.js';
import { LuaScript, RedisCluster, RedisUnavailableError } from '../../redis-cluster/index.js';
import { KEY_RING_OPTIONS } from './key-ring.module-definition.js';
import type { KeyRingOptions } from './key-ring.options.js';
import { JWKS_MAX_AGE_SECONDS, keySetKey, KEYS_SUBJECT } from './key-set.js';

const PUBLIC_KEYS = new CacheKey<PublicKeys>(KEYS_SUBJECT);

const load = LuaScript.loaderFor(import.meta.url);
const readKeys = load('read-keys', (reply) => reply as StoredKeys);

/** The issuer, the idle lifetime of sessions, then the id and the public key of each key; empty when the cluster has no key. */
type StoredKeys = readonly string[];

/** A request for the published set has a deadline of 1.8 s. The rest of it is for an answer from memory. */
const PUBLISHED_TIMEOUT_MS = 1200;

/** The public keys of the cluster, in the memory of this instance. */
export interface PublicKeys {
  readonly issuer: string;
  /** By key id (`kid`). The object of an unchanged key stays the same, so that keys can be compared by identity. */
  readonly byId: ReadonlyMap<string, KeyObject>;
  /** How long a session lives without use. Absent: no instance has stored it. */
  readonly sessionIdleTtlSeconds?: number;
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
  /** The text and the object of each of the last keys, by its id. */
  private objects = new Map<string, { readonly text: string; readonly key: KeyObject }>();
  /** Since when the last keys may be out of date, on the monotonic clock. */
  private outdatedSince: number | undefined;
  private drops = 0;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly clock: Clock,
    @Inject(KEY_RING_OPTIONS) private readonly options: KeyRingOptions,
  ) {
    cache.keepApartFrom(KEYS_SUBJECT);
    cache.onDrop(KEYS_SUBJECT, () => {
      this.drops += 1;
      this.outdatedSince ??= clock.monotonic();
    });
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

  /**
   * Returns the keys for the published set. While Redis does not answer, it returns the last loaded keys for as long as
   * clients may cache the set. Afterwards a key that they contain may have been withdrawn for too long.
   *
   * @throws RedisUnavailableError
   */
  async published(deadline: Deadline): Promise<PublicKeys> {
    try {
      return await this.current(deadline.within(PUBLISHED_TIMEOUT_MS));
    } catch (error) {
      const ageMs = this.clock.monotonic() - (this.outdatedSince ?? this.clock.monotonic());
      if (!this.last || ageMs > JWKS_MAX_AGE_SECONDS * 1000) {
        throw error;
      }
      return this.last.keys;
    }
  }

  /** How long a session lives without use, as instances have stored it with the keys. Undefined until the keys are loaded. */
  get sessionIdleTtlSeconds(): number | undefined {
    return this.last?.keys.sessionIdleTtlSeconds;
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
    const { drops } = this;
    const keys = [keySetKey(this.redis.keys, 'set'), keySetKey(this.redis.keys, 'fence')];
    const stored = await read({ script: readKeys, keys, args: [] }, deadline);
    if (stored.length === 0) {
      throw new RedisUnavailableError('the cluster has no signing key yet');
    }
    if (drops === this.drops) {
      // Without a lease, this instance does not hear of changes.
      this.outdatedSince = this.cache.isTrusted ? undefined : this.clock.monotonic();
    }
    const text = JSON.stringify(stored);
    if (this.last?.text !== text) {
      this.last = { text, keys: this.publicKeysOf(stored) };
    }
    return this.last.keys;
  }

  private publicKeysOf([issuer = '', sessionIdleTtl = '', ...stored]: StoredKeys): PublicKeys {
    const objects: typeof this.objects = new Map();
    const jwks: JWK[] = [];
    for (let index = 0; index + 1 < stored.length; index += 2) {
      const [kid, text] = [stored[index]!, stored[index + 1]!];
      const jwk = JSON.parse(text) as JWK;
      const known = this.objects.get(kid);
      const key =
        known?.text === text
          ? known.key
          : createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
      objects.set(kid, { text, key });
      jwks.push(jwk);
    }
    this.objects = objects;
    return {
      issuer: this.options.issuer ?? issuer,
      ...(sessionIdleTtl === '' ? {} : { sessionIdleTtlSeconds: Number(sessionIdleTtl) }),
      byId: new Map([...objects].map(([kid, { key }]) => [kid, key])),
      jwks: { keys: jwks },
    };
  }
}
