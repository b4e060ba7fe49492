import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';

import { Secret } from '../../src/common/secret/index.js';
import { KeyDecryptionError, SigningKeys } from '../../src/keys/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { startTestApp, testSettings } from '../support/test-app.js';

describe('the signing keys', () => {
  const started: RedisCluster[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((redis) => redis.onApplicationShutdown()));
  });

  const instance = (
    keyPrefix: string,
    options: { secret?: string; baseUrl?: string; issuer?: string } = {},
  ): SigningKeys => {
    const redis = new RedisCluster({ ...testSettings({}).redis, keyPrefix });
    started.push(redis);
    return new SigningKeys(redis, {
      baseUrl: options.baseUrl ?? 'http://127.0.0.1:3000',
      encryptionSecret: new Secret(options.secret ?? 'the secret of this whole cluster'),
      ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    });
  };
  const prefix = (): string => `t-${randomUUID().slice(0, 8)}:`;

  it('are the same for eight instances that start together (26)', async () => {
    const shared = prefix();
    const instances = Array.from({ length: 8 }, (_, index) =>
      instance(shared, { baseUrl: `http://127.0.0.1:300${index}` }),
    );

    const rings = await Promise.all(instances.map((keys) => keys.ring()));

    expect(new Set(rings.map((ring) => ring.signingKeyId)).size).toBe(1);
    expect(new Set(rings.map((ring) => ring.issuer)).size).toBe(1);
  });

  it('outlive the instances', async () => {
    const shared = prefix();
    const first = await instance(shared).ring();
    const second = await instance(shared, { baseUrl: 'http://127.0.0.1:9999' }).ring();

    expect(second.signingKeyId).toBe(first.signingKeyId);
    // A token stays valid when the next instance listens elsewhere.
    expect(second.issuer).toBe('http://127.0.0.1:3000');
    expect((await instance(shared, { issuer: 'https://id.test' }).ring()).issuer).toBe(
      'https://id.test',
    );
  });

  it('cannot be read with another secret, and the message says what to set', async () => {
    const shared = prefix();
    await instance(shared).ring();

    const stranger = instance(shared, { secret: 'quite another secret, just as long' });

    await expect(stranger.untilLoaded()).rejects.toThrow(KeyDecryptionError);
    await expect(stranger.untilLoaded()).rejects.toThrow('KEY_ENCRYPTION_SECRET');
  });

  it('are published in public only, with which others can verify our tokens (21)', async () => {
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
