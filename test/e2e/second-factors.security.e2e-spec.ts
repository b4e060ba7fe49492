import { randomUUID } from 'node:crypto';

import { startDeployment, WITH_ADMINISTRATOR, type Deployment } from '../support/deployment.js';
import { decode } from '../support/forge.js';
import type { Answer, TestUser, Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import { olderLogin } from '../support/older-login.js';
import { withRedis } from '../support/redis.js';
import {
  addTotp,
  challengeOf,
  codesOf,
  enrol,
  newRecoveryCodes,
  type Enrolment,
} from '../support/second-factors.js';
import type { TestApp } from '../support/test-app.js';

describe('second factors', () => {
  let api: TestApp;
  let other: Instance;
  let expectEverywhere: Deployment['expectEverywhere'];
  let stop: Deployment['stop'];
  beforeAll(async () => {
    ({ api, other, expectEverywhere, stop } = await startDeployment(WITH_ADMINISTRATOR));
  });
  afterAll(async () => stop());

  const post = async <Body>(
    path: string,
    { access_token: token }: Pick<Tokens, 'access_token'>,
    body?: unknown,
    at: TestApp | Instance = api,
  ): Promise<Answer<Body>> => at.request<Body>('POST', path, { token, body });
  const NEEDED = { status: 403, body: { code: 'reauthentication-required' } };
  const withTotp = async (): Promise<{ user: TestUser; codes: string[]; id: string }> => {
    const user = await api.newUser();
    return { user, ...(await addTotp(api, user.tokens)) };
  };
  const second = async (
    body: Record<string, unknown>,
    at: TestApp | Instance = api,
  ): Promise<Answer<Tokens>> => at.request<Tokens>('POST', '/api/login/second-factor', { body });

  it('are required from the confirmation on, and every other session ends (43)', async () => {
    const user = await api.newUser();
    const { body: elsewhere } = await other.login(user.username);
    const { id, secret, uri, qr } = await enrol(api, user.tokens);
    expect(uri).toMatch(/^otpauth:\/\/totp\/Keyslot:/);
    expect(qr).toMatch(/^<svg /);
    // Not confirmed yet: a password is enough.
    expect((await other.login(user.username)).status).toBe(200);

    const [code] = codesOf(secret);
    const confirmed = await post('/api/user/factors/totp/confirm', user.tokens, { id, code });

    expect(confirmed.status).toBe(204);
    await expectEverywhere(401, elsewhere);
    await expectEverywhere(200, user.tokens);
    expect((await challengeOf(other, user.username)).factors).toEqual(['totp']);
  });

  it('an enrolment counts nowhere until it is confirmed, within 15 minutes, and can be given up', async () => {
    const user = await api.newUser();
    const { body: elsewhere } = await other.login(user.username);
    const confirm = async ({ id, secret }: Enrolment): Promise<Answer> =>
      post('/api/user/factors/totp/confirm', user.tokens, { id, code: codesOf(secret)[0] });
    const old = await enrol(api, user.tokens);
    await withRedis(async (_, cluster) => {
      const key = `${api.keyPrefix}v1:{user.${user.id}}:factors`;
      const factor = JSON.parse((await cluster.hget(key, old.id))!) as { createdAt: number };
      const createdAt = factor.createdAt - 15 * 60_000;
      await cluster.hset(key, old.id, JSON.stringify({ ...factor, createdAt }));
    });
    expect(await confirm(old)).toMatchObject({ status: 404, body: { code: 'not-found' } });

    const given = await enrol(api, user.tokens);
    const options = { token: user.tokens.access_token };
    const path = `/api/user/factors/${given.id}`;
    expect((await other.request('DELETE', path, options)).status).toBe(204);
    expect((await other.request('DELETE', path, options)).status).toBe(404);
    expect((await confirm(given)).status).toBe(404);

    await expectEverywhere(200, elsewhere, user.tokens);
    const removals = await other.audited('factor-removed');
    expect(removals.filter(({ userId }) => userId === user.id)).toEqual([]);
    expect((await confirm(await enrol(api, user.tokens))).status).toBe(204);
    await expectEverywhere(401, elsewhere);
  });

  it('a second authenticator application replaces the first with its confirmation', async () => {
    const { user, codes } = await withTotp();
    const next = await addTotp(api, user.tokens);

    const { challenge, factors } = await challengeOf(other, user.username);

    expect(factors).toEqual(['totp']);
    expect((await second({ challenge, code: codes[0] }, other)).status).toBe(401);
    expect((await second({ challenge, code: next.codes[0] }, other)).status).toBe(200);
    const { access_token: token } = user.tokens;
    const listed = await api.request<{ items: object[] }>('GET', '/api/user/factors', { token });
    expect(listed.body.items).toMatchObject([{ id: next.id }]);
  });

  it('a login with a code says so in the token (2), also after a refresh', async () => {
    const { user, codes } = await withTotp();
    const { challenge } = await challengeOf(api, user.username);

    const answer = await second({ challenge, code: codes[0] }, other);

    expect(answer.status).toBe(200);
    expect(decode(answer.body.access_token).payload).toMatchObject({
      amr: ['pwd', 'otp', 'mfa'],
      auth_time: expect.any(Number),
    });
    await expectEverywhere(200, answer.body);
    const { body: refreshed } = await api.refresh(answer.body.refresh_token);
    expect(decode(refreshed.access_token).payload).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
  });

  it('a code counts once, on all instances together (59)', async () => {
    const { user, codes } = await withTotp();
    const challenges = await Promise.all(
      [api, other, api, other].map(async (at) => challengeOf(at, user.username)),
    );

    const answers = await Promise.all(
      challenges.map(async ({ challenge }, index) =>
        second({ challenge, code: codes[0] }, index % 2 === 0 ? api : other),
      ),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(3);
  });

  it('a challenge serves one login of 50 parallel tries (59)', async () => {
    const { user, codes } = await withTotp();
    const { challenge } = await challengeOf(api, user.username);

    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => second({ challenge, code: codes[0] })),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => ![200, 401, 429].includes(status))).toEqual([]);
    expect(await second({ challenge, code: codes[1] })).toMatchObject({
      status: 401,
      body: { code: 'invalid-challenge' },
    });
  });

  it('a challenge ends after five wrong codes, and a forged one is refused', async () => {
    const { user, codes } = await withTotp();
    const { challenge } = await challengeOf(api, user.username);
    for (let count = 0; count < 5; count += 1) {
      expect(await second({ challenge, code: '000000' })).toMatchObject({
        status: 401,
        body: { code: 'wrong-second-factor' },
      });
    }

    for (const made of [challenge, `${challenge}x`, user.tokens.refresh_token, 'x']) {
      expect(await second({ challenge: made, code: codes[0] })).toMatchObject({
        status: 401,
        body: { code: 'invalid-challenge' },
      });
    }
  });

  it('wrong codes are limited over all instances (63), but not for a known device (62)', async () => {
    const user = await api.newUser();
    const { headers } = await api.login(user.username);
    const cookie = headers.get('set-cookie')!.split(';')[0]!;
    const { codes } = await addTotp(api, user.tokens);
    for (const at of [api, other]) {
      const { challenge } = await challengeOf(at, user.username);
      for (let count = 0; count < 5; count += 1) {
        expect((await second({ challenge, code: '000000' }, at)).status).toBe(401);
      }
    }
    const { challenge } = await challengeOf(api, user.username);
    const body = { challenge, code: codes[0] };

    for (const at of [api, other]) {
      const refused = await second(body, at);
      expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-attempts' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }

    const options = { body, headers: { cookie } };
    expect((await api.request('POST', '/api/login/second-factor', options)).status).toBe(200);
  });

  it('a challenge is no token (39)', async () => {
    const { user } = await withTotp();
    const { challenge } = await challengeOf(api, user.username);

    expect((await api.ownUser(challenge)).status).toBe(401);
    expect((await api.refresh(challenge)).status).toBe(401);
  });

  it('recovery codes count once each, under 50 parallel tries (59)', async () => {
    const { user } = await withTotp();
    const codes = await newRecoveryCodes(api, user.tokens);
    expect(new Set(codes).size).toBe(10);
    const [code] = codes;
    const challenges = await Promise.all(
      Array.from({ length: 5 }, async () => challengeOf(api, user.username)),
    );
    expect(challenges[0]!.factors).toEqual(['recovery-code', 'totp']);

    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        second(
          { challenge: challenges[index % 5]!.challenge, recoveryCode: code },
          index % 2 === 0 ? api : other,
        ),
      ),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => ![200, 401, 429].includes(status))).toEqual([]);
  });

  it('a removed factor counts nowhere any more, not even in a login that has begun', async () => {
    const { user, codes, id } = await withTotp();
    const { challenge } = await challengeOf(other, user.username);
    const { access_token: token } = user.tokens;

    const removed = await api.request('DELETE', `/api/user/factors/${id}`, { token });

    expect(removed.status).toBe(204);
    expect((await second({ challenge, code: codes[0] }, other)).status).toBe(401);
    expect((await other.login(user.username)).status).toBe(200);
  });

  describe('that an administrator removes', () => {
    let admin: Tokens;
    beforeAll(async () => {
      admin = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body;
    });
    const remove = async (
      userId: string,
      { access_token: token }: Pick<Tokens, 'access_token'>,
      at: TestApp | Instance = api,
    ): Promise<Answer> => at.request('DELETE', `/api/users/${userId}/factors`, { token });
    const list = async (userId: string, { access_token: token }: Tokens): Promise<Answer> =>
      api.request('GET', `/api/users/${userId}/factors`, { token });

    it('count nowhere any more, and every session ends on every instance (43)', async () => {
      const { user, codes } = await withTotp();
      await newRecoveryCodes(api, user.tokens);
      await expectEverywhere(200, user.tokens);
      const { challenge } = await challengeOf(other, user.username);

      expect((await remove(user.id, admin, other)).status).toBe(204);

      await expectEverywhere(401, user.tokens);
      expect((await second({ challenge, code: codes[0] }, other)).status).toBe(401);
      const { status, body: tokens } = await other.login(user.username);
      expect(status).toBe(200);
      const { access_token: token } = tokens;
      expect(await api.request('GET', '/api/user/factors', { token })).toMatchObject({
        body: { items: [] },
      });
      expect(await other.audited('factors-removed')).toContainEqual(
        expect.objectContaining({ userId: user.id, result: 'success', actor: 'user' }),
      );
      // A repeated request ends the sessions again.
      expect((await remove(user.id, admin)).status).toBe(204);
      await expectEverywhere(401, tokens);
    });

    it('are removed only from users who exist, with the permission, and within its own permissions (103)', async () => {
      const { user, id } = await withTotp();
      const caller = await api.newUser();
      const { access_token: token } = admin;
      const role = { token, body: { permissions: ['users:write'] } };
      expect((await api.request('PUT', '/api/roles/helper', role)).status).toBe(204);
      const give = async (userId: string, ...roles: string[]): Promise<void> => {
        const options = { token, body: { roles } };
        expect((await api.request('PATCH', `/api/users/${userId}`, options)).status).toBe(200);
      };

      expect(await remove(user.id, caller.tokens)).toMatchObject({ body: { code: 'forbidden' } });
      await give(caller.id, 'helper');
      await give(user.id, 'admin');
      expect(await remove(user.id, caller.tokens)).toMatchObject({
        status: 403,
        body: { code: 'beyond-own-permissions' },
      });
      expect((await remove(randomUUID(), caller.tokens)).status).toBe(404);

      await expectEverywhere(200, user.tokens);
      const own = { token: user.tokens.access_token };
      expect(await api.request('GET', '/api/user/factors', own)).toMatchObject({
        body: { items: [{ id }] },
      });
      await give(user.id);
      expect((await remove(user.id, caller.tokens)).status).toBe(204);
      await expectEverywhere(401, user.tokens);
    });

    it('are listed and removed from the own user only after a recent login (43)', async () => {
      const user = await api.newUser();
      const options = { token: admin.access_token, body: { roles: ['admin'] } };
      await api.request('PATCH', `/api/users/${user.id}`, options);
      const { codes, id } = await addTotp(api, user.tokens);
      const old = await olderLogin(api, user.id, user.tokens);

      expect(await remove(user.id, old)).toMatchObject(NEEDED);
      expect(await list(user.id, old)).toMatchObject(NEEDED);

      const raised = await post<Tokens>('/api/user/reauthentication', old, {
        code: codes[0],
      });
      expect((await list(user.id, raised.body)).body).toMatchObject({ items: [{ id }] });
      expect((await remove(user.id, raised.body)).status).toBe(204);
      await expectEverywhere(401, raised.body);
    });
  });
});
