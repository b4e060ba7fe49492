import { createRemoteJWKSet, jwtVerify } from 'jose';

import { EventEmitter2 } from '@nestjs/event-emitter';

import { AuditLog, type AuditEvent } from '../../src/audit/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { KeyDecryptionError, SigningKeys } from '../../src/keys/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
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
  ): Promise<SigningKeys> => {
    const each = await startCacheInstance(keyPrefix);
    started.push(each);
    const sink = { record: (event: AuditEvent) => void events.push(event) };
    const audit = new AuditLog(sink, new EventEmitter2());
    return new SigningKeys(each.redis, each.cache, audit, {
      baseUrl: options.baseUrl ?? 'http://127.0.0.1:3000',
      encryptionSecret: new Secret(options.secret ?? 'the secret of this whole cluster'),
      ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    });
  };

  it('are the same for eight instances that start together (26)', async () => {
    const shared = newPrefix();
    const instances = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        instance(shared, { baseUrl: `http://127.0.0.1:300${index}` }),
      ),
    );

    const rings = await Promise.all(instances.map((keys) => keys.ring(Deadline.none)));

    expect(new Set(rings.map((ring) => ring.signingKeyId)).size).toBe(1);
    expect(new Set(rings.map((ring) => ring.issuer)).size).toBe(1);
    // 89: by the one that made it.
    expect(events).toMatchObject([
      {
        ...{ type: 'signing-key-created', result: 'success', actor: 'system' },
        details: { kid: rings[0]!.signingKeyId },
      },
    ]);
  });

  it('outlive the instances', async () => {
    const shared = newPrefix();
    const first = await (await instance(shared)).ring(Deadline.none);
    const second = await (
      await instance(shared, { baseUrl: 'http://127.0.0.1:9999' })
    ).ring(Deadline.none);

    expect(second.signingKeyId).toBe(first.signingKeyId);
    // A token stays valid when the next instance listens elsewhere.
    expect(second.issuer).toBe('http://127.0.0.1:3000');
    const third = await instance(shared, { issuer: 'https://id.test' });
    expect((await third.ring(Deadline.none)).issuer).toBe('https://id.test');
  });

  it('cannot be read with another secret, and the message says what to set', async () => {
    const shared = newPrefix();
    await (await instance(shared)).ring(Deadline.none);

    const stranger = await instance(shared, { secret: 'quite another secret, just as long' });

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
