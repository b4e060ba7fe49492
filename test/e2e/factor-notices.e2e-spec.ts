import { GOOD_PASSWORD, type Answer } from '../support/http-client.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import { confirmReset, mailVariables, requestReset, userWithMail } from '../support/mails.js';
import { eventually } from '../support/own-cluster.js';
import { addTotp, challengeOf, newRecoveryCodes } from '../support/second-factors.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const NOTICE_TIMEOUT_MS = 40_000;
/** Eight characters, the least with a second factor. */
const SHORT = 'mj7Rqw2x';

describe('a user with second factors and a confirmed address', () => {
  let server: MailServer;
  let api: TestApp;
  beforeAll(async () => {
    server = await MailServer.start();
    api = await startTestApp({
      ...mailVariables(server),
      BOOTSTRAP_ADMIN_USERNAME: 'root',
      BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
    });
  });
  afterAll(async () => {
    await api.close();
    await server.stop();
  });

  const subjectsTo = (email: string): string[] =>
    server.mailsTo(email).map(({ subject }) => subject);
  const changePassword = async (
    token: string,
    currentPassword: string,
    newPassword: string,
  ): Promise<Answer> =>
    api.request('PUT', '/api/user/password', { token, body: { currentPassword, newPassword } });

  it('is told of each change of the factors, and of a recovery code that was used', async () => {
    const user = await userWithMail(api, server);
    const { access_token: token } = user.tokens;
    const { id } = await addTotp(api, user.tokens);
    const [recoveryCode] = await newRecoveryCodes(api, user.tokens);
    const { challenge } = await challengeOf(api, user.username);
    const body = { challenge, recoveryCode };
    expect((await api.request('POST', '/api/login/second-factor', { body })).status).toBe(200);
    const wrong = await api.request('POST', '/api/login/second-factor', { body });
    expect(wrong.status).toBe(401);
    const told = ['A second factor was added', 'New recovery codes', 'A recovery code was used'];
    await eventually('the notices', NOTICE_TIMEOUT_MS, async () =>
      Promise.resolve(told.every((subject) => subjectsTo(user.email).includes(subject))),
    );
    const added = server.mailsTo(user.email).find(({ subject }) => subject === told[0])!;
    expect(added.text).toContain(`${user.username}: an authenticator application.`);
    const used = server.mailsTo(user.email).find(({ subject }) => subject === told[2])!;
    expect(used.text).toContain('Address: 127.0.0.1.');

    // Neither of the other two is removed.
    expect((await api.request('DELETE', `/api/user/factors/${user.id}`, { token })).status).toBe(
      404,
    );
    expect((await api.request('DELETE', `/api/user/factors/${id}`, { token })).status).toBe(204);
    const removed = 'A second factor was removed';
    await eventually('the notice of the removal', NOTICE_TIMEOUT_MS, async () =>
      Promise.resolve(subjectsTo(user.email).includes(removed)),
    );

    const counted = [...told, removed].map(
      (one) => subjectsTo(user.email).filter((subject) => subject === one).length,
    );
    expect(counted).toEqual([1, 1, 1, 1]);
  });

  it('is told when an administrator has removed all factors', async () => {
    const user = await userWithMail(api, server);
    await addTotp(api, user.tokens);
    const { body: admin } = await api.login('root');
    const options = { token: admin.access_token };
    const path = `/api/users/${user.id}/factors`;
    expect((await api.request('DELETE', path, options)).status).toBe(204);
    // There are no factors any more, and nothing to tell.
    expect((await api.request('DELETE', path, options)).status).toBe(204);

    const isRemoval = ({ subject }: { subject: string }): boolean =>
      subject === 'A second factor was removed';
    await eventually('the notice', NOTICE_TIMEOUT_MS, async () =>
      Promise.resolve(server.mailsTo(user.email).some(isRemoval)),
    );
    const notices = server.mailsTo(user.email).filter(isRemoval);
    expect(notices).toHaveLength(1);
    expect(notices[0]!.text).toContain('all second factors were removed');
    // The factor that was added counted no more when its notice was due.
    expect(subjectsTo(user.email)).not.toContain('A second factor was added');
  });

  it('may have a password of 8 characters, until the next password without a factor (47)', async () => {
    const user = await userWithMail(api, server);
    const { access_token: token } = user.tokens;
    const tooShort = (pointer: string, min: number) => ({
      status: 400,
      body: { errors: [{ pointer, code: 'too-short', detail: expect.stringContaining(`${min}`) }] },
    });
    const refused = tooShort('/newPassword', 15);
    expect(await changePassword(token, GOOD_PASSWORD, SHORT)).toMatchObject(refused);
    await addTotp(api, user.tokens);

    expect(await changePassword(token, GOOD_PASSWORD, SHORT.slice(1))).toMatchObject(refused);
    expect(await changePassword(token, GOOD_PASSWORD, 'password')).toMatchObject({
      body: { errors: [{ code: 'password-common' }] },
    });
    expect((await changePassword(token, GOOD_PASSWORD, SHORT)).status).toBe(204);

    const reset = async (newPassword: string): Promise<Answer> => {
      const count = server.mailsTo(user.email).filter(({ text }) => text.includes('#token='));
      expect((await requestReset(api, { username: user.username })).status).toBe(202);
      const links = (): typeof count =>
        server.mailsTo(user.email).filter(({ text }) => text.includes('#token='));
      await eventually('the link', NOTICE_TIMEOUT_MS, async () =>
        Promise.resolve(links().length > count.length),
      );
      return confirmReset(api, tokenIn(links().at(-1)!), newPassword);
    };
    expect((await reset(`${SHORT}s`)).status).toBe(204);

    const { body: admin } = await api.login('root');
    const path = `/api/users/${user.id}/factors`;
    const removed = await api.request('DELETE', path, { token: admin.access_token });
    expect(removed.status).toBe(204);
    // The short password stays valid, and the next one must be long.
    const login = await api.login(user.username, `${SHORT}s`);
    expect(login.status).toBe(200);
    const again = changePassword(login.body.access_token, `${SHORT}s`, SHORT);
    expect(await again).toMatchObject(refused);
  });
});
