import { EventEmitter2 } from '@nestjs/event-emitter';

import { AuditLog, type AuditEvent } from '../../src/audit/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { KeyRing, KeyRotation, KeySetStore, SigningKeys } from '../../src/keys/index.js';
import { startCacheInstance, type CacheInstance } from './near-cache.js';
import { connectRedis } from './redis.js';

export const LIFETIME_MS = 90 * 86_400_000;
const SECRET = 'the secret of this whole cluster';

/** An instance that verifies, signs, and replaces signing keys. */
export interface KeysInstance {
  readonly cache: CacheInstance;
  readonly ring: KeyRing;
  readonly signing: SigningKeys;
  readonly store: KeySetStore;
  readonly rotation: KeyRotation;
}

export async function startKeysInstance(
  keyPrefix: string,
  events: AuditEvent[],
  options: {
    readonly secret?: string;
    readonly baseUrl?: string;
    readonly issuer?: string;
    /** Connects through this instance, which must be closed last. */
    readonly connectedAs?: KeysInstance;
  } = {},
): Promise<KeysInstance> {
  const { connectedAs } = options;
  const cache = await startCacheInstance(
    keyPrefix,
    connectedAs ? { connectedAs: connectedAs.cache } : {},
  );
  const sink = { record: (event: AuditEvent) => void events.push(event) };
  const audit = new AuditLog(sink, new EventEmitter2());
  const encryptionSecret = new Secret(options.secret ?? SECRET);
  const keysOptions = {
    baseUrl: options.baseUrl ?? 'http://127.0.0.1:3000',
    encryptionSecret,
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
  };
  const ring = new KeyRing(cache.redis, cache.cache, cache.clock, keysOptions);
  const store = new KeySetStore(cache.redis, cache.cache, cache.clock);
  return {
    cache,
    ring,
    signing: new SigningKeys(cache.redis, cache.cache, ring, cache.clock, audit, keysOptions),
    store,
    rotation: new KeyRotation(store, cache.clock, audit, {
      lifetimeMs: LIFETIME_MS,
      encryptionSecret: () => encryptionSecret,
      origin: Origin.system,
    }),
  };
}

/** The stored key set of a deployment, as an administrator of Redis sees and changes it. */
export class StoredKeys {
  constructor(private readonly keyPrefix: string) {}

  async fields(): Promise<Record<string, string>> {
    return this.withRedis(async (redis, key) => redis.hgetall(key));
  }

  /** Makes all stored times earlier, as if this time had passed. */
  async age(ms: number): Promise<void> {
    await this.withRedis(async (redis, key) => {
      const fields = Object.entries(await redis.hgetall(key)).map(([name, value]) => [
        name,
        earlier(name, value, ms),
      ]);
      await redis.hset(key, Object.fromEntries(fields) as Record<string, string>);
    });
  }

  async remove(...names: string[]): Promise<void> {
    await this.withRedis(async (redis, key) => redis.hdel(key, ...names));
  }

  private async withRedis<Result>(
    work: (redis: Awaited<ReturnType<typeof connectRedis>>, key: string) => Promise<Result>,
  ): Promise<Result> {
    const redis = await connectRedis();
    try {
      return await work(redis, `${this.keyPrefix}v1:{keys.signing}:set`);
    } finally {
      redis.disconnect();
    }
  }
}

function earlier(name: string, value: string, ms: number): string {
  if (['createdAt', 'signsFrom'].includes(name)) {
    return String(Number(value) - ms);
  }
  if (name !== 'next' && !name.startsWith('retired:')) {
    return value;
  }
  const key = JSON.parse(value) as Record<string, unknown>;
  const aged = Object.entries(key).map(([member, one]) => [
    member,
    typeof one === 'number' ? one - ms : one,
  ]);
  return JSON.stringify(Object.fromEntries(aged));
}
