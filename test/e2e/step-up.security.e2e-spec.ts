import { startDeployment, type Deployment } from '../support/deployment.js';
import { decode } from '../support/forge.js';
import { GOOD_PASSWORD, type Answer, type TestUser, type Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import { backdateReauthentication } from '../support/kept-answers.js';
import { olderLogin } from '../support/older-login.js';
import { addTotp, challengeOf, newRecoveryCodes } from '../support/second-factors.js';
import type { TestApp } from '../support/test-app.js';

const NEEDED = { status: 403, body: { code: 'reauthentication-required' } };
/** The default of `REFRESH_GRACE`. */
const GRACE_MS = 10_000;

describe('a sensitive route', () => {
  let api: TestApp;
  let other: Instance;
  let expectEverywhere: Deployment['expectEverywhere'];
  let stop: Deployment['stop'];
  beforeAll(async () => {
    ({ api, other, expectEverywhere, stop } = await startDeployment());
  });
  afterAll(async () => stop());

  const send = async <Body>(
    method: string,
    path: string,
    { access_token: token }: Pick<Tokens, 'access_token'>,
    body?: unknown,
    at: TestApp | Instance = api,
  ): Promise<Answer<Body>> => at.request<Body>(method, path, { token, body });
  const post = async <Body>(
    path: string,
    tokens: Pick<Tokens, 'access_token'>,
    body?: unknown,
    at?: TestApp | Instance,
  ): Promise<Answer<Body>> => send('POST', path, tokens, body, at);
  const factors = async (tokens: Tokens): Promise<Answer> =>
    send('GET', '/api/user/factors', tokens);
  const userWithOldLogin = async (): Promise<TestUser> => {
    const user = await api.newUser();
    return { ...user, tokens: await olderLogin(api, user.id, user.tokens) };
  };
  const withTotp = async (): Promise<{ user: TestUser; codes: string[]; id: string }> => {
    const user = await api.newUser();
    return { user, ...(await addTotp(api, user.tokens)) };
  };

  it('is not opened by the password alone, once there is a second factor (43)', async () => {
    const { user, codes } = await withTotp();
    const old = await olderLogin(api, user.id, user.tokens);
    const email = 'new@example.org';
    const [password, newPassword] = [GOOD_PASSWORD, 'another violet engine'];
    const changes = [
      ['PATCH', '/api/user', { email, currentPassword: password }, 200],
      ['PUT', '/api/user/password', { currentPassword: password, newPassword }, 204],
      ['DELETE', '/api/user', { password: newPassword }, 204],
    ] as const;

    for (const at of [api, other]) {
      for (const [method, path, body] of changes) {
        expect(await send(method, path, old, body, at)).toMatchObject(NEEDED);
      }
    }
    expect((await api.ownUser(old.access_token)).body).toMatchObject({ email: null });
    await challengeOf(other, user.username);

    const { body: raised } = await post<Tokens>('/api/user/reauthentication', old, {
      code: codes[0],
    });
    // The password is still required by its routes.
    const wrong = { currentPassword: 'wrong', newPassword };
    expect(await send('PUT', '/api/user/password', raised, wrong)).toMatchObject({
      body: { code: 'wrong-password' },
    });
    for (const [method, path, body, status] of changes) {
      expect((await send(method, path, raised, body, other)).status).toBe(status);
    }
    await expectEverywhere(401, raised, old);
  });

  describe('and a reauthentication', () => {
    it('with a password raises the same session, once its login is old', async () => {
      const user = await userWithOldLogin();
      expect(await factors(user.tokens)).toMatchObject(NEEDED);
      expect(await post('/api/user/factors/totp', user.tokens)).toMatchObject(NEEDED);

      const wrong = await post('/api/user/reauthentication', user.tokens, { password: 'not it' });
      expect(wrong).toMatchObject({ status: 403, body: { code: 'wrong-password' } });
      expect(await factors(user.tokens)).toMatchObject(NEEDED);

      const body = { password: GOOD_PASSWORD };
      const raised = await post<Tokens>('/api/user/reauthentication', user.tokens, body, other);

      expect(raised.status).toBe(200);
      expect(raised.body.session_id).toBe(user.tokens.session_id);
      expect((await factors(raised.body)).status).toBe(200);
      const [before, after] = [user.tokens, raised.body].map(
        (one) => decode(one.access_token).payload['auth_time'] as number,
      );
      expect(after! - before!).toBeGreaterThanOrEqual(601);
      // The tokens from before stay old.
      expect(await factors(user.tokens)).toMatchObject(NEEDED);
      await expectEverywhere(200, raised.body);
    });

    it('does not raise a thief who has copied a refresh token before (43)', async () => {
      const user = await userWithOldLogin();
      const before = decode(user.tokens.access_token).payload['auth_time'] as number;
      const refresh = async (
        { refresh_token }: Tokens,
        scope?: string,
      ): Promise<{ tokens: Tokens; auth_time: number; amr: unknown }> => {
        const body = { refresh_token, ...(scope === undefined ? {} : { scope }) };
        const answer = await other.request<Tokens>('POST', '/api/refresh', { body });
        expect(answer.status).toBe(200);
        const claims = decode(answer.body.access_token).payload;
        return {
          tokens: answer.body,
          auth_time: claims['auth_time'] as number,
          amr: claims['amr'],
        };
      };
      const { tokens: stolen } = await refresh(user.tokens);

      const body = { password: GOOD_PASSWORD };
      const raised = await post<Tokens>('/api/user/reauthentication', user.tokens, body);
      const first = await refresh(stolen);
      const own = await refresh(raised.body);
      const second = await refresh(first.tokens);
      const kept = await refresh(own.tokens);

      // The last two are replays: of the stored answer, and with a new access token.
      for (const thief of [first, second, await refresh(stolen), await refresh(stolen, 'a:b')]) {
        expect(thief).toMatchObject({ auth_time: before, amr: ['pwd'] });
      }
      for (const { tokens } of [first, second]) {
        expect(await factors(tokens)).toMatchObject(NEEDED);
        expect(await post('/api/user/factors/totp', tokens)).toMatchObject(NEEDED);
        expect(await send('DELETE', '/api/user/sessions', tokens)).toMatchObject(NEEDED);
        const change = { email: 'thief@example.org' };
        expect(await send('PATCH', '/api/user', tokens, change)).toMatchObject(NEEDED);
      }
      for (const { tokens, auth_time } of [own, kept, await refresh(raised.body, 'a:b')]) {
        expect(auth_time).toBe(decode(raised.body.access_token).payload['auth_time']);
        expect(tokens.session_id).toBe(raised.body.session_id);
      }
      expect((await factors(kept.tokens)).status).toBe(200);
    });

    it('is needed to end all other sessions, once the login is old (43)', async () => {
      const user = await userWithOldLogin();
      const { body: elsewhere } = await other.login(user.username);
      const end = async ({ access_token: token }: Tokens): Promise<Answer> =>
        other.request('DELETE', '/api/user/sessions', { token });

      expect(await end(user.tokens)).toMatchObject(NEEDED);
      await expectEverywhere(200, elsewhere);

      const body = { password: GOOD_PASSWORD };
      const raised = await post<Tokens>('/api/user/reauthentication', user.tokens, body);
      expect((await end(raised.body)).status).toBe(204);
      await expectEverywhere(401, elsewhere);
      await expectEverywhere(200, raised.body);
    });

    it('with the password alone raises nothing once there is a factor; `amr` is what was proved then', async () => {
      const { user, codes, id } = await withTotp();
      const [recoveryCode] = await newRecoveryCodes(api, user.tokens);
      const old = await olderLogin(api, user.id, user.tokens);
      const path = '/api/user/reauthentication';
      const password = GOOD_PASSWORD;
      const wrong = await post(path, old, { password: 'x', code: codes[0] });
      expect(wrong).toMatchObject({ status: 403, body: { code: 'wrong-password' } });
      expect(await post(path, old, { password, code: '000000' })).toMatchObject({
        body: { code: 'wrong-second-factor' },
      });
      expect(await post(path, old, { password })).toMatchObject({
        status: 403,
        body: { code: 'second-factor-required', factors: ['recovery-code', 'totp'] },
      });
      expect(await factors(old)).toMatchObject(NEEDED);

      const body = { code: codes[0] };
      const raised = await post<Tokens>(path, old, body);
      expect(raised.status).toBe(200);
      expect(decode(raised.body.access_token).payload).toMatchObject({ amr: ['otp'] });
      const both = await post<Tokens>(path, old, { password, recoveryCode });
      expect(decode(both.body.access_token).payload).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });

      // A removed factor is not in later tokens.
      const { access_token: token } = both.body;
      expect((await api.request('DELETE', `/api/user/factors/${id}`, { token })).status).toBe(204);
      const { body: refreshed } = await other.refresh(both.body.refresh_token);
      expect(decode(refreshed.access_token).payload).toMatchObject({ amr: ['pwd'] });
      const later = await post<Tokens>(path, refreshed, { password });
      expect(decode(later.body.access_token).payload).toMatchObject({ amr: ['pwd'] });
    });

    it('accepts a code once', async () => {
      const { user, codes } = await withTotp();
      const body = { code: codes[0] };
      expect((await post('/api/user/reauthentication', user.tokens, body)).status).toBe(200);
      const again = await post('/api/user/reauthentication', user.tokens, body);
      expect(again).toMatchObject({ status: 401, body: { code: 'wrong-second-factor' } });
    });

    it.each([2, 5])(
      'that is sent %d times at once leaves each refresh token valid until one is used later (33, 35)',
      async (count) => {
        const user = await api.newUser();
        const body = { password: GOOD_PASSWORD };
        const raised = await Promise.all(
          Array.from({ length: count }, async (_, index) =>
            post<Tokens>('/api/user/reauthentication', user.tokens, body, [api, other][index % 2]),
          ),
        );
        const valid = [user.tokens, ...raised.map((one) => one.body)];
        const refreshed = await Promise.all(
          valid.map(async ({ refresh_token: token }) => api.refresh(token)),
        );
        expect(refreshed.map(({ status }) => status)).toEqual(valid.map(() => 200));
        const [kept, stolen] = refreshed.map((one) => one.body) as [Tokens, Tokens];
        await expectEverywhere(200, kept);
        const owner = { userId: user.id, sessionId: kept.session_id };
        await backdateReauthentication(api.keyPrefix, owner, GRACE_MS);
        const { status, body: next } = await other.refresh(kept.refresh_token);
        expect(status).toBe(200);
        await backdateReauthentication(api.keyPrefix, owner, GRACE_MS);

        expect((await other.refresh(stolen.refresh_token)).status).toBe(401);

        await expectEverywhere(401, next, kept, stolen);
        expect((await api.refresh(next.refresh_token)).status).toBe(401);
      },
    );

    it.each([{}, { code: '123456', recoveryCode: 'x' }, { code: null }, { password: 12 }])(
      'needs a password or one proof, and not %j',
      async (body) => {
        const user = await api.newUser();
        const answer = await post('/api/user/reauthentication', user.tokens, body);
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
      },
    );
  });
});
