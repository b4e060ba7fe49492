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

import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import { decryptKey, encryptKey, KeyDecryptionError } from './key-encryption.js';
import { KEYS_OPTIONS } from './keys.module-definition.js';
import type { KeysOptions } from './keys.options.js';

const PAUSE_BETWEEN_TRIES_MS = 500;

const agreeOnKey = LuaScript.fromFile(
  new URL('./scripts/agree-on-key.lua', import.meta.url),
  (reply) => reply as [kid: string, publicJwk: string, encryptedKey: string, issuer: string],
);

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

/** The ES256 keys that all instances of a cluster share. Made by whichever starts first, encrypted at rest in Redis. */
@Injectable()
export class SigningKeys {
  private loaded: KeyRing | undefined;
  private loading: Promise<KeyRing> | undefined;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  /**
   * @returns the keys, from memory once they were loaded
   * @throws NotConfirmedError when they are not loaded and Redis is away; KeyDecryptionError
   */
  async ring(): Promise<KeyRing> {
    if (this.loaded) {
      return this.loaded;
    }
    this.loading ??= this.load().finally(() => (this.loading = undefined));
    return this.loading;
  }

  get isLoaded(): boolean {
    return this.loaded !== undefined;
  }

  /**
   * Until the keys are there, however long Redis takes.
   *
   * @throws KeyDecryptionError
   */
  async untilLoaded(): Promise<void> {
    while (!this.loaded) {
      try {
        await this.ring();
      } catch (error) {
        if (error instanceof KeyDecryptionError) {
          throw error;
        }
        await delay(PAUSE_BETWEEN_TRIES_MS);
      }
    }
  }

  private async load(): Promise<KeyRing> {
    const secret = this.options.encryptionSecret;
    const candidate = await newKey();
    const [kid, publicJwk, encryptedKey, issuer] = await this.redis.runDurably(
      agreeOnKey,
      [this.redis.keys.key(['keys', 'signing'], 'set')],
      [
        candidate.kid,
        JSON.stringify(candidate.publicJwk),
        await encryptKey(candidate.privateJwk, secret),
        this.options.issuer ?? this.options.baseUrl,
      ],
    );
    const jwk = JSON.parse(publicJwk) as JWK;
    const privateJwk = await decryptKey(encryptedKey, secret);
    this.loaded = {
      issuer: this.options.issuer ?? issuer,
      signingKeyId: kid,
      signingKey: createPrivateKey({ key: privateJwk as JsonWebKey, format: 'jwk' }),
      publicKeys: new Map([[kid, createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })]]),
      jwks: { keys: [jwk] },
    };
    return this.loaded;
  }
}

async function newKey(): Promise<{ kid: string; publicJwk: JWK; privateJwk: JWK }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'prime256v1',
  });
  const kid = randomUUID();
  return {
    kid,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' },
    privateJwk: await exportJWK(privateKey),
  };
}
