import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import { AuditLog } from '../../audit/index.js';
import { Clock } from '../../common/clock/index.js';
import { Deadline } from '../../common/deadline/index.js';
import { Origin } from '../../common/origin/index.js';
import { retryUntilDone } from '../../common/retry/index.js';
import { CacheKey, NearCache, type SlotRead } from '../../near-cache/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';
import { KeyRing, keySetKey, KEYS_SUBJECT } from '../read/index.js';
import { newCandidate, type KeyCandidate } from './key-candidate.js';
import { decryptKey, KeyDecryptionError } from './key-encryption.js';
import { KEYS_OPTIONS } from './keys.module-definition.js';
import type { KeysOptions } from './keys.options.js';

const SIGNING_KEY = new CacheKey<SigningKey>(KEYS_SUBJECT, 'private');

const load = LuaScript.loaderFor(import.meta.url);
const agreeOnKey = load('agree-on-key', (reply) => reply as StoredKey);

type StoredKey = [kid: string, encryptedKey: string, issuer: string];

/** The key that signs new tokens. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The `iss` of the tokens that it signs. */
  readonly issuer: string;
}

/**
 * The ES256 key with which all instances of a cluster sign. The first instance that needs it creates it. It is stored
 * encrypted in Redis and cached in the near cache. `KeyRing` has its public half. `KeyRotation` replaces it.
 */
@Injectable()
export class SigningKeys implements BeforeApplicationShutdown {
  private readonly closing = new AbortController();
  private candidate: Promise<KeyCandidate> | undefined;
  /** The last key with its stored text, so that an unchanged key is decrypted only once. */
  private last: { readonly text: string; readonly key: SigningKey } | undefined;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly ring: KeyRing,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  /**
   * @returns the signing key, from memory or from Redis. Creates it if the cluster has none
   * @throws RedisUnavailableError, KeyDecryptionError
   */
  async current(deadline: Deadline): Promise<SigningKey> {
    return this.cache.getFromSlot(SIGNING_KEY, async (read) => this.load(read, deadline), {
      isCounted: false,
      isLasting: true,
    });
  }

  /** Whether a key verifies tokens: it was neither removed nor withdrawn. @throws RedisUnavailableError */
  async verifies(kid: string, deadline: Deadline): Promise<boolean> {
    return (await this.ring.current(deadline)).byId.has(kid);
  }

  /** Whether this instance can sign and verify tokens. */
  get isLoaded(): boolean {
    return this.last !== undefined && this.ring.isLoaded;
  }

  /**
   * Waits without a time limit until both halves of the key are loaded, or the application closes.
   *
   * @throws KeyDecryptionError
   */
  async untilLoaded(): Promise<void> {
    await retryUntilDone(async () => Boolean(await this.current(Deadline.none)), {
      isTransient: (error) => !(error instanceof KeyDecryptionError),
      signal: this.closing.signal,
    });
    await this.ring.untilLoaded();
  }

  beforeApplicationShutdown(): void {
    this.closing.abort();
  }

  private async load(read: SlotRead, deadline: Deadline): Promise<SigningKey> {
    this.candidate ??= newCandidate(this.options.encryptionSecret);
    const candidate = await this.candidate;
    const stored = await read(
      {
        script: agreeOnKey,
        keys: [keySetKey(this.redis.keys, 'set')],
        args: [
          candidate.kid,
          candidate.publicJwk,
          candidate.encryptedKey,
          this.options.issuer ?? this.options.baseUrl,
          this.clock.now(),
          this.options.sessionIdleTtlSeconds ?? '',
        ],
      },
      deadline,
    );
    const text = JSON.stringify(stored);
    if (this.last?.text !== text) {
      const [kid, encryptedKey, issuer] = stored;
      const jwk = await decryptKey(encryptedKey, this.options.encryptionSecret);
      if (candidate.kid === kid) {
        this.recordCreation(kid);
        // If somebody removes all keys, this key must not return.
        this.candidate = undefined;
      }
      this.last = {
        text,
        key: {
          kid,
          privateKey: createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }),
          issuer: this.options.issuer ?? issuer,
        },
      };
    }
    return this.last.key;
  }

  private recordCreation(kid: string): void {
    this.audit.record({
      type: 'signing-key-created',
      result: 'success',
      ...Origin.system.facts,
      details: { kid },
    });
  }
}
