import { resolve } from 'node:path';

import type { ClusterResponse } from '../../src/cluster-status/dto/cluster.response.dto.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { Instance } from '../support/instance.js';
import { newPrefix } from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { keysByMaster } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SERVICE = resolve('test/e2e/guarded-service.mjs');

const keysOfCluster = async (prefix: string): Promise<string[]> =>
  (await keysByMaster(prefix)).flat().filter((key) => key.includes('{keys.signing}:set'));

describe('a service with the guard only', () => {
  const prefix = newPrefix();
  let service: Instance;
  let keyslot: TestApp | undefined;
  afterAll(async () => {
    await Promise.all([service.stop(), keyslot?.close()]);
  });

  it('starts before the cluster has a key, creates none, and answers 503', async () => {
    service = await Instance.start(
      // Without the encryption secret of the cluster.
      { REDIS_KEY_PREFIX: prefix, KEY_ENCRYPTION_SECRET: 'a secret of its own, and quite another' },
      SERVICE,
    );

    const undecided = await service.request('GET', '/notes/own', { token: 'e30.e30.c2ln' });
    expect(undecided.status).toBe(503);
    expect(undecided.body).toMatchObject({ code: 'store-unavailable' });
    expect(Number(undecided.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await keysOfCluster(prefix)).toEqual([]);
  });

  it('denies by default', async () => {
    const { status, headers, body } = await service.request('GET', '/notes/own');

    expect(status).toBe(401);
    expect(headers.get('content-type')).toMatch('application/problem+json');
    expect(headers.get('www-authenticate')).toBe('Bearer realm="keyslot"');
    expect(body).toMatchObject({ code: 'missing-token', instance: '/notes/own' });
  });

  it('accepts the token of an instance, and refuses it after the logout was answered', async () => {
    keyslot = await startTestApp({ ...WITH_ADMINISTRATOR, REDIS_KEY_PREFIX: prefix });
    const { tokens, username } = await keyslot.newUser();
    const { access_token: token } = tokens;
    const own = async (): Promise<[number, unknown]> => {
      const { status, body } = await service.request('GET', '/notes/own', { token });
      return [status, body];
    };

    expect(await own()).toEqual([200, { kind: 'user', username }]);
    // From the cache.
    expect(await own()).toEqual([200, { kind: 'user', username }]);
    expect((await keyslot.logout(token)).status).toBe(204);
    expect(await own()).toMatchObject([401, { code: 'invalid-token' }]);
  });

  it('enforces the permissions of its configured roles: 403 for a user without them', async () => {
    const { tokens } = await keyslot!.newUser();

    const refused = await service.request('GET', '/notes/drafts', { token: tokens.access_token });
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: 'forbidden' });
  });

  it('accepts the permissions of a role of the cluster, which no code defines, until the role is narrowed', async () => {
    const root = await keyslot!.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const { access_token: token } = root.body;
    const { id, tokens } = await keyslot!.newUser();
    const put = async (...permissions: string[]): Promise<number> => {
      const body = { permissions };
      return (await keyslot!.request('PUT', '/api/roles/lector', { token, body })).status;
    };
    const read = async (): Promise<number> =>
      (await service.request('GET', '/notes/drafts', { token: tokens.access_token })).status;
    expect(await put('notes:review')).toBe(204);
    const body = { roles: ['lector'] };
    expect((await keyslot!.request('PATCH', `/api/users/${id}`, { token, body })).status).toBe(200);

    expect(await read()).toBe(200);
    expect(await put('notes:read')).toBe(204);
    expect(await read()).toBe(403);
  });

  it('is listed among the instances, by its audience', async () => {
    const { body } = await keyslot!.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const services = async (): Promise<unknown[]> => {
      const options = { token: body.access_token };
      const state = await keyslot!.request<ClusterResponse>('GET', '/api/cluster', options);
      return state.body.instances!.filter((instance) => instance.service !== undefined);
    };
    await eventually('the service has reported', 30_000, async () => (await services()).length > 0);

    expect(await services()).toEqual([
      expect.objectContaining({ service: 'keyslot', isTrusted: true, processId: service.pid }),
    ]);
  });

  it('does not load argon2', async () => {
    const { tokens } = await keyslot!.newUser();
    const { body } = await service.request<{ before: string[]; after: string[] }>(
      'GET',
      '/notes/natives',
      { token: tokens.access_token },
    );

    const argon2 = expect.stringContaining('argon2') as string;
    expect(body.after).toContainEqual(argon2);
    expect(body.before).not.toContainEqual(argon2);
  });
});
