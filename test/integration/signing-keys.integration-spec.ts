import { createRemoteJWKSet, jwtVerify } from 'jose';

import type { AuditEvent } from '../../src/audit/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { KeyDecryptionError } from '../../src/keys/index.js';
import { JWKS_MAX_AGE_SECONDS } from '../../src/keys/read/index.js';
import { RedisUnavailableError } from '../../src/redis-cluster/index.js';
import { startKeysInstance, type KeysInstance } from '../support/keys.js';
import { newPrefix, type CacheInstance } from '../support/near-cache.js';
import { dumpKeys } from '../support/redis.js';
import { startTestApp } from '../support/test-app.js';

describe('the signing keys', () => {
  const started: CacheInstance[] = [];
  let events: AuditEvent[];
  beforeEach(() => (events = []));
  afterEach(async () => {
    await Promise.all(started.splice(0).map((each) => each.close()));
  });

  const instance = async (
    keyPrefix: string,
    options: { secret?: string; baseUrl?: string; issuer?: string } = {},
  ): Promise<KeysInstance> => {
    const each = await startKeysInstance(keyPrefix, events, options);
    started.push(each.cache);
    return each;
  };

  it('are the same for eight instances that start together (26)', async () => {
    const shared = newPrefix();
    const instances = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        instance(shared, { baseUrl: `http://127.0.0.1:300${index}` }),
      ),
    );

    const all = await Promise.all(instances.map(({ signing }) => signing.current(Deadline.none)));
    const rings = await Promise.all(instances.map(({ ring }) => ring.current(Deadline.none)));

    expect(new Set(all.map((key) => key.kid)).size).toBe(1);
    expect(new Set(all.map((key) => key.issuer)).size).toBe(1);
    expect(rings.map((ring) => [...ring.byId.keys()])).toEqual(all.map((key) => [key.kid]));
    expect(rings.map((ring) => ring.issuer)).toEqual(all.map((key) => key.issuer));
    // 89: recorded by the instance that created it.
    expect(events).toMatchObject([
      {
        type: 'signing-key-created',
        result: 'success',
        actor: 'system',
        details: { kid: all[0]!.kid },
      },
    ]);
  });

  it('are kept when the instances stop', async () => {
    const shared = newPrefix();
    const first = await (await instance(shared)).signing.current(Deadline.none);
    const second = await (
      await instance(shared, { baseUrl: 'http://127.0.0.1:9999' })
    ).signing.current(Deadline.none);

    expect(second.kid).toBe(first.kid);
    // A token stays valid when the next instance listens at another address.
    expect(second.issuer).toBe('http://127.0.0.1:3000');
    const third = await instance(shared, { issuer: 'https://id.test' });
    expect((await third.signing.current(Deadline.none)).issuer).toBe('https://id.test');
    expect((await third.ring.current(Deadline.none)).issuer).toBe('https://id.test');
  });

  it('cannot be decrypted with another secret, and the message names the setting', async () => {
    const shared = newPrefix();
    await (await instance(shared)).signing.current(Deadline.none);

    const { signing, ring } = await instance(shared, {
      secret: 'quite another secret, just as long',
    });

    await expect(signing.untilLoaded()).rejects.toThrow(KeyDecryptionError);
    await expect(signing.untilLoaded()).rejects.toThrow('KEY_ENCRYPTION_SECRET');
    // The public key is not encrypted: a service that only checks tokens needs no secret.
    await expect(ring.untilLoaded()).resolves.toBeUndefined();
  });

  it('are never created by a reader: a look-up fails until a key exists', async () => {
    const shared = newPrefix();
    const { ring } = await instance(shared);

    await expect(ring.current(Deadline.none)).rejects.toThrow(RedisUnavailableError);
    await expect(ring.published(Deadline.none)).rejects.toThrow('no signing key yet');
    expect(ring.isLoaded).toBe(false);
    expect(await storedSets(shared)).toEqual([]);

    // A failed look-up is not cached.
    const { kid } = await (await instance(shared)).signing.current(Deadline.none);
    expect([...(await ring.current(Deadline.none)).byId.keys()]).toEqual([kid]);
    const before = await storedSets(shared);
    await (await instance(shared)).ring.untilLoaded();
    expect(before).toMatchObject([{ current: kid }]);
    expect(await storedSets(shared)).toEqual(before);
  });

  it('keep object identity while they are unchanged, for any number of loads', async () => {
    const shared = newPrefix();
    const { signing, ring, cache } = await instance(shared);
    const [key, keys] = [await signing.current(Deadline.none), await ring.current(Deadline.none)];

    await cache.cache.change('keys.signing', () => Promise.resolve(), Deadline.none);

    expect(ring.recall()).toBeUndefined();
    expect(await signing.current(Deadline.none)).toBe(key);
    expect(await ring.current(Deadline.none)).toBe(keys);
  });

  it('are published for five minutes by an instance that is cut off, and not longer (24)', async () => {
    const { signing, ring, cache } = await instance(newPrefix());
    await signing.current(Deadline.none);
    const before = await ring.published(Deadline.none);
    cache.redis.readConfirmed = async () =>
      Promise.reject(new RedisUnavailableError('the instance is cut off'));
    expect(await ring.published(Deadline.none)).toBe(before);

    // As when a key was withdrawn, or the lease has ended.
    await cache.cache.change('keys.signing', () => Promise.resolve(), Deadline.none);
    expect(await ring.published(Deadline.none)).toBe(before);
    cache.clock.monotonicMs += JWKS_MAX_AGE_SECONDS * 1000 - 30_000;
    expect(await ring.published(Deadline.none)).toBe(before);
    cache.clock.monotonicMs += 30_000;
    await expect(ring.published(Deadline.none)).rejects.toThrow(RedisUnavailableError);
  });

  it('are published without the private key, so that others can verify our tokens (21)', async () => {
    const api = await startTestApp();
    const { tokens } = await api.newUser();
    const answer = await api.request<{ keys: Record<string, unknown>[] }>(
      'GET',
      '/.well-known/jwks.json',
    );

    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    expect(Object.keys(answer.body.keys[0]!).sort()).toEqual(
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'].sort(),
    );
    const keys = createRemoteJWKSet(new URL(`${api.url}/.well-known/jwks.json`));
    const verified = await jwtVerify(tokens.access_token, keys, {
      issuer: 'https://keyslot.test',
      audience: 'keyslot',
      typ: 'at+jwt',
    });
    expect(verified.payload['client_id']).toBe('keyslot');
    await api.close();
  });
});

/** The stored key sets. */
async function storedSets(prefix: string): Promise<unknown[]> {
  const { keys, values } = await dumpKeys(prefix);
  return values.filter((_, index) => keys[index]!.includes('{keys.signing}:set'));
}
