import { startDeployment, WITH_ADMINISTRATOR, type Deployment } from '../support/deployment.js';
import type { Answer, TestUser, Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import { olderLogin } from '../support/older-login.js';
import type { TestApp } from '../support/test-app.js';

const WRONG = 'not the password at all';
const NEEDED = { status: 403, body: { code: 'reauthentication-required' } };

/** Requirement 43, OWASP ASVS 7.5.1. */
describe('a new e-mail address', () => {
  let api: TestApp;
  let other: Instance;
  let expectEverywhere: Deployment['expectEverywhere'];
  let stop: Deployment['stop'];
  beforeAll(async () => {
    ({ api, other, expectEverywhere, stop } = await startDeployment(WITH_ADMINISTRATOR));
  });
  afterAll(async () => stop());

  const userWithOldLogin = async (): Promise<TestUser> => {
    const user = await api.newUser();
    return { ...user, tokens: await olderLogin(api, user.id, user.tokens) };
  };
  const patch = async ({ access_token: token }: Tokens, body: unknown, at = api): Promise<Answer> =>
    at.request('PATCH', '/api/user', { token, body });

  it('needs the password if the login was more than ten minutes ago, and changes nothing without it', async () => {
    const user = await userWithOldLogin();
    const { body: another } = await api.login(user.username);
    const before = (await api.ownUser(user.tokens.access_token)).body;

    for (const email of ['new@example.org', 'x@example.org']) {
      expect(await patch(user.tokens, { email, displayName: 'Ada' })).toMatchObject(NEEDED);
    }

    expect((await other.ownUser(user.tokens.access_token)).body).toEqual(before);
    await expectEverywhere(200, user.tokens, another);
  });

  it('needs the password after a refresh, too, because a refresh is not a login', async () => {
    const user = await userWithOldLogin();
    const { body: next } = await other.refresh(user.tokens.refresh_token);

    expect(await patch(next, { email: 'new@example.org' })).toMatchObject(NEEDED);
  });

  it('is set with the current password, or within ten minutes of a login; removing the address follows the same rule', async () => {
    const user = await userWithOldLogin();
    const email = 'new@example.org';
    const body = { email, currentPassword: user.password };
    const changed = await patch(user.tokens, body);
    expect(changed).toMatchObject({ status: 200, body: { email } });
    expect(changed.body).not.toHaveProperty('currentPassword');

    expect(await patch(user.tokens, { email: null })).toMatchObject(NEEDED);
    const { body: next } = await other.login(user.username);
    const recent = await olderLogin(api, user.id, next, 540);
    expect(await patch(recent, { email: null })).toMatchObject({
      status: 200,
      body: { email: null },
    });
  });

  it('needs no password when nothing changes', async () => {
    const user = await userWithOldLogin();

    for (const body of [{}, { displayName: 'Ada' }, { email: null }, { currentPassword: WRONG }]) {
      expect((await patch(user.tokens, body)).status).toBe(200);
    }
  });

  it('cannot be used to guess the password: wrong passwords count like failed logins (54, 59)', async () => {
    const user = await userWithOldLogin();
    const statuses = [];
    for (let attempt = 0; attempt <= 10; attempt += 1) {
      const body = { email: 'new@example.org', currentPassword: `${WRONG} ${attempt}` };
      const at = (attempt % 2 === 0 ? api : other) as TestApp;
      const answer = await patch(user.tokens, body, at);
      statuses.push(answer.status);
      expect(answer.body['code']).toBe(attempt < 10 ? 'wrong-password' : 'too-many-attempts');
    }

    expect(statuses).toEqual([...Array<number>(10).fill(403), 429]);
    expect((await api.ownUser(user.tokens.access_token)).body).toMatchObject({ email: null });
  });

  it('refuses a password that is not a string', async () => {
    const { tokens } = await userWithOldLogin();

    for (const currentPassword of [null, 1, ['x'], { a: 1 }]) {
      expect(await patch(tokens, { email: 'a@example.org', currentPassword })).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/currentPassword' }] },
      });
    }
  });

  it('needs the password of an administrator on the administration route, but only for the own address and its confirmation', async () => {
    const { body: admin } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const { body: another } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const { id } = (await api.ownUser(admin.access_token)).body as { id: string };
    const user = await api.newUser();
    const administer = async (
      userId: string,
      { access_token: token }: Tokens,
      body: object = { email: 'new@example.org' },
    ): Promise<Answer> => api.request('PATCH', `/api/users/${userId}`, { token, body });
    const confirmed = { emailVerified: true };
    const old = await olderLogin(api, id, admin);

    expect(await administer(id, old)).toMatchObject(NEEDED);
    expect(await administer(id, old, confirmed)).toMatchObject(NEEDED);
    expect((await administer(user.id, old)).status).toBe(200);
    expect((await administer(user.id, old, confirmed)).status).toBe(200);
    await expectEverywhere(200, another, user.tokens);

    const recent = await olderLogin(api, id, old, -601);
    expect((await administer(id, recent)).status).toBe(200);
    expect((await administer(id, recent, confirmed)).status).toBe(200);
    await expectEverywhere(401, another);
    await expectEverywhere(200, recent);
  });
});
