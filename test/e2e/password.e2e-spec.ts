import { startDeployment, type Deployment } from '../support/deployment.js';
import { GOOD_PASSWORD, type Answer, type TestUser, type Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import type { TestApp } from '../support/test-app.js';

const NEW_PASSWORD = 'seven lanterns drift downstream';
const WRONG = 'not the password at all';

describe('a change of the password', () => {
  let api: TestApp;
  let other: Instance;
  let expectEverywhere: Deployment['expectEverywhere'];
  let stop: Deployment['stop'];
  beforeAll(async () => {
    ({ api, other, expectEverywhere, stop } = await startDeployment());
  });
  afterAll(async () => stop());

  const change = async (
    { access_token: token }: Tokens,
    currentPassword: unknown,
    newPassword: unknown,
  ): Promise<Answer> =>
    api.request('PUT', '/api/user/password', { token, body: { currentPassword, newPassword } });
  const loginStatus = async (
    { username }: Pick<TestUser, 'username'>,
    password: string,
  ): Promise<number> => (await api.login(username, password)).status;
  /** A user with two more sessions that every instance has cached. */
  const userWithOthers = async (): Promise<{ user: TestUser; others: Tokens[] }> => {
    const user = await api.newUser();
    const others = [(await api.login(user.username)).body, (await api.login(user.username)).body];
    await expectEverywhere(200, user.tokens, ...others);
    return { user, others };
  };

  it('accepts the new password and refuses the old one', async () => {
    const user = await api.newUser();

    const answer = await change(user.tokens, user.password, NEW_PASSWORD);

    expect(answer.status).toBe(204);
    expect(answer.body).toBe('');
    expect(await loginStatus(user, user.password)).toBe(401);
    expect(await loginStatus(user, NEW_PASSWORD)).toBe(200);
  });

  it('ends every other session on every instance, but not the current one (43)', async () => {
    const { user, others } = await userWithOthers();

    expect((await change(user.tokens, user.password, NEW_PASSWORD)).status).toBe(204);

    await expectEverywhere(401, ...others);
    for (const { refresh_token } of others) {
      expect((await other.refresh(refresh_token)).status).toBe(401);
    }
    await expectEverywhere(200, user.tokens);
    const { body: next } = await other.refresh(user.tokens.refresh_token);
    expect(next.session_id).toBe(user.tokens.session_id);
    await expectEverywhere(200, next);
  });

  it('keeps the current session, even if it was refreshed in the meantime', async () => {
    const user = await api.newUser();
    const { body: next } = await api.refresh(user.tokens.refresh_token);

    expect((await change(next, user.password, NEW_PASSWORD)).status).toBe(204);

    await expectEverywhere(200, next, user.tokens);
    expect((await api.refresh(next.refresh_token)).status).toBe(200);
  });

  it('is refused without the current password and then changes nothing (54)', async () => {
    const { user, others } = await userWithOthers();

    const answer = await change(user.tokens, WRONG, NEW_PASSWORD);

    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({ code: 'wrong-password' });
    await expectEverywhere(200, user.tokens, ...others);
    expect(await loginStatus(user, NEW_PASSWORD)).toBe(401);
    expect(await loginStatus(user, user.password)).toBe(200);
  });

  const own = 'user.with.a.long-name';
  it.each([
    ['nothing', '', 'too-short'],
    ['14 characters (47)', 'vgtqhmlozkwpxe', 'too-short'],
    ['257 characters (48)', 'vgtqhmlozkwpxe '.repeat(18).slice(0, 257), 'too-long'],
    ['50,000 characters', 'x'.repeat(50_000), 'too-long'],
    ['a common password (51)', 'passwordpassword', 'password-common'],
    ['a sequence of keyboard keys (51)', 'qwertyuiopasdfgh', 'password-common'],
    ['the own name (51)', own, 'password-common'],
    ['the own address (51)', 'mailbox.of.this.user@example.org', 'password-common'],
    ['a number (71)', 123_456_789_012_345, 'not-a-string'],
    ['null (71)', null, 'not-a-string'],
    ['an object (71)', { $ne: '' }, 'not-a-string'],
  ])('refuses %s, names the member, and nothing changes', async (_, newPassword, code) => {
    // All rows share this user and name: only the first registration succeeds.
    await api.register(own);
    const user = { username: own, password: GOOD_PASSWORD };
    const { body: tokens } = await api.login(own);
    const body = { email: 'mailbox.of.this.user@example.org' };
    await api.request('PATCH', '/api/user', { token: tokens.access_token, body });
    const { body: another } = await api.login(own);

    const answer = await change(tokens, user.password, newPassword);

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '/newPassword', code }],
    });
    await expectEverywhere(200, tokens, another);
    expect(await loginStatus(user, user.password)).toBe(200);
  });

  it.each([
    ['nothing', {}, ['/currentPassword', '/newPassword']],
    ['no current password', { newPassword: NEW_PASSWORD }, ['/currentPassword']],
    ['no new password', { currentPassword: WRONG }, ['/newPassword']],
    [
      'an unknown member (70)',
      { currentPassword: WRONG, newPassword: NEW_PASSWORD, passwordVersion: 1 },
      ['/passwordVersion'],
    ],
  ])('answers 400 to %s', async (_, body, pointers) => {
    const { tokens } = await api.newUser();

    const answer = await api.request('PUT', '/api/user/password', {
      token: tokens.access_token,
      body,
    });

    expect(answer.status).toBe(400);
    const errors = answer.body['errors'] as { pointer: string }[];
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(pointers);
  });

  it('can be repeated, for example after a lost answer', async () => {
    const { user, others } = await userWithOthers();
    const times = [1, 2, 3];

    for (const time of times) {
      const { status } = await change(user.tokens, user.password, NEW_PASSWORD);
      expect({ time, status }).toEqual({ time, status: 204 });
    }

    await expectEverywhere(200, user.tokens);
    await expectEverywhere(401, ...others);
    expect(await loginStatus(user, user.password)).toBe(401);
    expect(await loginStatus(user, NEW_PASSWORD)).toBe(200);
    expect((await api.refresh(user.tokens.refresh_token)).status).toBe(200);
  });

  it('can be repeated only with the same values: after another change, the old password is wrong', async () => {
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    const profile = { displayName: 'Ada', email: 'ada@example.org' };
    expect((await api.request('PATCH', '/api/user', { token, body: profile })).status).toBe(200);

    const answer = await change(user.tokens, WRONG, user.password);

    expect(answer).toMatchObject({ status: 403, body: { code: 'wrong-password' } });
    // The replaced password is not accepted either.
    expect((await change(user.tokens, user.password, NEW_PASSWORD)).status).toBe(204);
    expect((await change(user.tokens, user.password, `${NEW_PASSWORD}, another`)).status).toBe(403);
  });

  it('that is sent many times in parallel to several instances is made once, and all calls succeed', async () => {
    const { user, others } = await userWithOthers();
    const token = user.tokens.access_token;
    const body = { currentPassword: user.password, newPassword: NEW_PASSWORD };

    const answers = await Promise.all(
      Array.from({ length: 3 }, (_, index) =>
        [api, other][index % 2]!.request('PUT', '/api/user/password', { token, body }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array(3).fill(204));
    await expectEverywhere(200, user.tokens);
    await expectEverywhere(401, ...others);
    expect(await loginStatus(user, user.password)).toBe(401);
    expect(await loginStatus(user, NEW_PASSWORD)).toBe(200);
  });

  it('from three sessions in parallel keeps exactly one of them', async () => {
    const { user, others } = await userWithOthers();
    const sessions = [user.tokens, ...others];

    await Promise.all(sessions.map((session) => change(session, user.password, NEW_PASSWORD)));

    const statuses = await Promise.all(
      sessions.map(async ({ access_token }) => (await other.ownUser(access_token)).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(sessions.length - 1);
  });

  it('to the password that was set a moment ago ends the other sessions again', async () => {
    const { user } = await userWithOthers();
    expect((await change(user.tokens, user.password, NEW_PASSWORD)).status).toBe(204);
    const { body: later } = await api.login(user.username, NEW_PASSWORD);

    expect((await change(user.tokens, NEW_PASSWORD, NEW_PASSWORD)).status).toBe(204);

    await expectEverywhere(200, user.tokens);
    await expectEverywhere(401, later);
  });

  it('with different new passwords in two concurrent calls succeeds for one of them', async () => {
    const { user, others } = await userWithOthers();
    const sessions = [user.tokens, ...others];
    const passwords = sessions.map((_, index) => `${NEW_PASSWORD}, number ${index}`);

    const answers = await Promise.all(
      sessions.map((session, index) => change(session, user.password, passwords[index]!)),
    );

    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => [401, 403].includes(status))).toHaveLength(2);
    const winner = statuses.indexOf(204);
    await expectEverywhere(200, sessions[winner]!);
    await expectEverywhere(401, ...sessions.filter((_, index) => index !== winner));
    for (const [index, password] of passwords.entries()) {
      expect(await loginStatus(user, password)).toBe(index === winner ? 200 : 401);
    }
  });

  it('cannot be used to guess the password with a stolen token (54), on any instance (59)', async () => {
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    const statuses = [];
    for (let attempt = 0; attempt <= 10; attempt += 1) {
      const body = { currentPassword: `${WRONG} ${attempt}`, newPassword: NEW_PASSWORD };
      const instance = attempt % 2 === 0 ? api : other;
      const { status } = await instance.request('PUT', '/api/user/password', { token, body });
      statuses.push(status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(403), 429]);

    const refused = await change(user.tokens, user.password, NEW_PASSWORD);
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ code: 'too-many-attempts' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800);
    // 62: the owner can log in, other sessions can change the password, and no session ends.
    expect(await loginStatus(user, user.password)).toBe(200);
    await expectEverywhere(200, user.tokens);
  });

  it.each([
    ['PUT', '/api/user/password', { currentPassword: GOOD_PASSWORD, newPassword: NEW_PASSWORD }],
    ['DELETE', '/api/user', { password: GOOD_PASSWORD }],
  ])(
    '%s %s stays available to a live session during attacks on the account (62)',
    async (method, path, body) => {
      const user = await api.newUser();
      const strangers = await Promise.all(
        Array.from({ length: 20 }, () => api.login(user.username, WRONG)),
      );
      expect(strangers.map(({ status }) => status)).toContain(429);

      const answer = await other.request(method, path, { token: user.tokens.access_token, body });

      expect(answer.status).toBe(204);
    },
  );

  it('counts the wrong passwords of each session separately (57)', async () => {
    const user = await api.newUser();
    const { body: second } = await api.login(user.username);
    const deletion = async ({ access_token: token }: Tokens, password: string): Promise<number> => {
      const { status } = await api.request('DELETE', '/api/user', { token, body: { password } });
      return status;
    };
    const statuses = await Promise.all(Array.from({ length: 15 }, () => deletion(second, WRONG)));
    expect(statuses.filter((status) => status === 403)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);

    // Both routes share the count of a session, and a stolen session blocks no other session.
    expect((await change(second, user.password, NEW_PASSWORD)).status).toBe(429);
    expect(await deletion(user.tokens, user.password)).toBe(204);
  });

  it('needs a valid token', async () => {
    const body = { currentPassword: WRONG, newPassword: NEW_PASSWORD };
    const none = await api.request('PUT', '/api/user/password', { body });
    expect(none.status).toBe(401);
    expect(none.body).toMatchObject({ code: 'missing-token' });

    const user = await api.newUser();
    await api.logout(user.tokens.access_token);
    expect((await change(user.tokens, user.password, NEW_PASSWORD)).status).toBe(401);
    expect(await loginStatus(user, user.password)).toBe(200);
  });
});
