import { GOOD_PASSWORD } from '../support/http-client.js';
import { MailServer } from '../support/mail-server.js';
import { mailVariables, NEW_PASSWORD, userWithMail, type MailUser } from '../support/mails.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const NOTICE_TIMEOUT_MS = 40_000;

describe('a user with a confirmed address is told', () => {
  let server: MailServer;
  let api: TestApp;
  beforeAll(async () => {
    server = await MailServer.start();
    api = await startTestApp(mailVariables(server));
  });
  afterAll(async () => {
    await api.close();
    await server.stop();
  });

  const changePassword = async ({ tokens }: MailUser, currentPassword: string): Promise<number> => {
    const body = { currentPassword, newPassword: NEW_PASSWORD };
    const token = tokens.access_token;
    return (await api.request('PUT', '/api/user/password', { token, body })).status;
  };
  const login = async (username: string, headers: Record<string, string> = {}) =>
    api.request('POST', '/api/login', { body: { username, password: GOOD_PASSWORD }, headers });

  it('once that the password was changed, and not of a change that was refused (54)', async () => {
    const user = await userWithMail(api, server);
    const count = server.mailsTo(user.email).length + 1;
    expect(await changePassword(user, 'not the password at all')).toBe(403);

    expect(await changePassword(user, GOOD_PASSWORD)).toBe(204);
    // A retry is no other change.
    expect(await changePassword(user, GOOD_PASSWORD)).toBe(204);

    const mail = await server.mailTo(user.email, count, NOTICE_TIMEOUT_MS);
    expect(mail.subject).toBe('Your password was changed');
    expect(mail.text).toContain(`the password of the account ${user.username} was changed`);
    expect(mail.text).not.toContain('#token=');
    expect(server.mailsTo(user.email)).toHaveLength(count);
  });

  it('of a login from a new device, and not from a known one', async () => {
    const user = await userWithMail(api, server);
    const count = server.mailsTo(user.email).length + 1;

    const first = await login(user.username, { 'user-agent': 'A <b>browser</b>' });

    const mail = await server.mailTo(user.email, count);
    expect(mail.subject).toBe('Login from a new device');
    expect(mail.text).toContain('Address: 127.0.0.1. Program: A <b>browser</b>.');
    expect(mail.html).toContain('A &lt;b&gt;browser&lt;/b&gt;');
    const cookie = first.headers.get('set-cookie')!.split(';')[0]!;
    expect((await login(user.username, { cookie })).status).toBe(200);
    expect((await login(user.username)).status).toBe(200);
    await server.mailTo(user.email, count + 1);
    expect(server.mailsTo(user.email)).toHaveLength(count + 1);
  });
});
