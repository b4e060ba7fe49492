import { Inject, Injectable } from '@nestjs/common';
import { exportJWK, type JWK } from 'jose';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomUUID,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { AuditLog } from '../audit/index.js';
import type { Secret } from '../common/secret/index.js';
import { Deadline } from '../common/deadline/index.js';
import { Origin } from '../common/origin/index.js';
import { CacheKey, NearCache } from '../near-cache/index.js';
import {
  LuaScript,
  NotConfirmedError,
  RedisCluster,
  RedisUnavailableError,
} from '../redis-cluster/index.js';
import { decryptKey, encryptKey, KeyDecryptionError } from './key-encryption.js';
import { KEYS_OPTIONS } from './keys.module-definition.js';
import type { KeysOptions } from './keys.options.js';

const PAUSE_BETWEEN_TRIES_MS = 500;

const RING = new CacheKey<KeyRing>('keys.signing');

const load = LuaScript.loaderFor(import.meta.url);
const agreeOnKey = load('agree-on-key', (reply) => reply as StoredKey);

type StoredKey = [kid: string, publicJwk: string, encryptedKey: string, issuer: string];

/** The keys of the cluster, as this instance holds them in memory. */
export interface KeyRing {
  readonly issuer: string;
  readonly signingKeyId: string;
  readonly signingKey: KeyObject;
  /** By key id: the only way from a token's `kid` to a key. */
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
  /** The published set (RFC 7517 section 5). */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/**
 * The ES256 keys that all instances of a cluster share. Made by whichever starts first, encrypted at rest in Redis, and
 * remembered in the near cache.
 */
@Injectable()
export class SigningKeys {
  private candidate: Promise<KeyCandidate> | undefined;
  /** The ring that was loaded last, and the text it was made from: the same text is the same ring. */
  private last: { readonly text: string; readonly ring: KeyRing } | undefined;

  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly audit: AuditLog,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  /** @returns the keys, if they are in memory and may be trusted; nothing is asked */
  recall(): KeyRing | undefined {
    return this.cache.peek(RING, { isCounted: false });
  }

  /**
   * @returns the keys that decide about tokens, from memory or from Redis
   * @throws RedisUnavailableError, KeyDecryptionError
   */
  async ring(deadline: Deadline): Promise<KeyRing> {
    return this.cache.get(RING, async () => this.load(deadline), {
      isCounted: false,
      isLasting: true,
    });
  }

  /** The keys as they were known last, for those who may be told yesterday's; from Redis when none were known yet. */
  async published(deadline: Deadline): Promise<KeyRing> {
    return this.last?.ring ?? this.ring(deadline);
  }

  get isLoaded(): boolean {
    return this.last !== undefined;
  }

  /**
   * Until the keys are there, however long Redis takes.
   *
   * @throws KeyDecryptionError
   */
  async untilLoaded(): Promise<void> {
    while (!this.isLoaded) {
      try {
        await this.ring(Deadline.none);
      } catch (error) {
        if (error instanceof KeyDecryptionError) {
          throw error;
        }
        await delay(PAUSE_BETWEEN_TRIES_MS);
      }
    }
  }

  private async load(deadline: Deadline): Promise<KeyRing> {
    this.candidate ??= newCandidate(this.options.encryptionSecret);
    const candidate = await this.candidate;
    const stored = await this.redis
      .runDurably(
        agreeOnKey,
        [this.redis.keys.key(['keys', 'signing'], 'set')],
        [
          candidate.kid,
          candidate.publicJwk,
          candidate.encryptedKey,
          this.options.issuer ?? this.options.baseUrl,
        ],
        deadline,
      )
      .catch((error: unknown) => {
        throw error instanceof NotConfirmedError
          ? new RedisUnavailableError('the signing keys could not be asked for', { cause: error })
          : error;
      });
    const text = JSON.stringify(stored);
    if (this.last?.text !== text) {
      const ring = await this.parse(stored);
      if (candidate.kid === ring.signingKeyId) {
        this.recordCreation(candidate.kid);
      }
      this.last = { text, ring };
    }
    return this.last.ring;
  }

  private recordCreation(kid: string): void {
    this.audit.record({
      type: 'signing-key-created',
      result: 'success',
      ...Origin.system.facts,
      details: { kid },
    });
  }

  private async parse([kid, publicJwk, encryptedKey, issuer]: StoredKey): Promise<KeyRing> {
    const jwk = JSON.parse(publicJwk) as JWK;
    const privateJwk = await decryptKey(encryptedKey, this.options.encryptionSecret);
    return {
      issuer: this.options.issuer ?? issuer,
      signingKeyId: kid,
      signingKey: createPrivateKey({ key: privateJwk as JsonWebKey, format: 'jwk' }),
      publicKeys: new Map([[kid, createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })]]),
      jwks: { keys: [jwk] },
    };
  }
}

/** A key that becomes the cluster's if it has none yet. */
interface KeyCandidate {
  readonly kid: string;
  readonly publicJwk: string;
  readonly encryptedKey: string;
}

async function newCandidate(secret: Secret): Promise<KeyCandidate> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'prime256v1',
  });
  const kid = randomUUID();
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  return {
    kid,
    publicJwk: JSON.stringify(publicJwk),
    encryptedKey: await encryptKey(await exportJWK(privateKey), secret),
  };
}
