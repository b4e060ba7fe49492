import { randomUUID } from 'node:crypto';

import { GOOD_PASSWORD } from '../support/http-client.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import {
  confirmReset,
  mailVariables,
  newAddress,
  PUBLIC_URL,
  requestReset,
  userWithMail,
  verify,
  type MailUser,
} from '../support/mails.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('an e-mail address', () => {
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

  const patch = async (token: string, body: object) =>
    api.request('PATCH', '/api/user', { token, body });
  const requestVerification = async (token: string) =>
    api.request('POST', '/api/user/email-verification', { token });
  const stateOf = async (token: string): Promise<object> => {
    const { email, emailVerified } = (await api.ownUser(token)).body;
    return { email, emailVerified };
  };
  /** Requests another address. @returns the token in the mail to it */
  const requestChange = async (user: MailUser, email: string): Promise<string> => {
    const answer = await patch(user.tokens.access_token, { email });
    expect(answer).toMatchObject({
      status: 200,
      body: { email: user.email, emailVerified: true, pendingEmail: email },
    });
    return tokenIn(await server.mailTo(email));
  };

  it('is confirmed with the link in a mail', async () => {
    const email = newAddress();
    const { id } = (
      await api.request('POST', '/api/users', {
        body: { username: `user-${randomUUID()}`, password: GOOD_PASSWORD, email },
      })
    ).body;
    expect(id).toBeDefined();
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    expect((await patch(token, { email })).body).toMatchObject({ email, emailVerified: false });
    expect((await patch(token, { email })).body).not.toHaveProperty('pendingEmail');

    const requested = await requestVerification(token);

    expect({ status: requested.status, body: requested.body }).toEqual({ status: 202, body: '' });
    const mail = await server.mailTo(email);
    expect(mail.subject).toBe('Confirm your e-mail address');
    expect(mail.text).toContain(`\n${PUBLIC_URL}/account/verify-email#token=${tokenIn(mail)}\n`);
    expect((await verify(api, tokenIn(mail))).status).toBe(204);
    expect(await stateOf(token)).toEqual({ email, emailVerified: true });
    // No session has ended.
    expect((await api.refresh(user.tokens.refresh_token)).status).toBe(200);
  });

  it('is confirmed once by 50 parallel uses of a link', async () => {
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    const email = newAddress();
    await patch(token, { email });
    await requestVerification(token);
    const link = tokenIn(await server.mailTo(email));

    const answers = await Promise.all(Array.from({ length: 50 }, async () => verify(api, link)));

    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(49);
    expect(await stateOf(token)).toEqual({ email, emailVerified: true });
  });

  it('is not changed by a session that the user has ended since', async () => {
    for (const end of ['/api/user/sessions', '/api/logout']) {
      const user = await userWithMail(api, server);
      const own = (await api.login(user.username)).body.access_token;
      const link = await requestChange(user, newAddress());

      const ended =
        end === '/api/logout'
          ? await api.request('POST', end, { token: user.tokens.access_token })
          : await api.request('DELETE', end, { token: own });
      expect(ended.status).toBe(204);

      expect((await verify(api, link)).status).toBe(400);
      const next = (await api.login(user.username)).body.access_token;
      expect(await stateOf(next)).toEqual({ email: user.email, emailVerified: true });
    }
  });

  it('that is confirmed stays until the new one is confirmed, and is told (43)', async () => {
    const user = await userWithMail(api, server);
    const other = (await api.login(user.username)).body;
    const own = user.tokens.access_token;
    const email = newAddress();

    const link = await requestChange(user, email);

    const notice = await server.mailAbout(user.email, 'A new e-mail address was requested');
    expect(notice.text).toContain(email);
    expect(await stateOf(own)).toEqual({ email: user.email, emailVerified: true });
    expect((await api.ownUser(other.access_token)).status).toBe(200);
    expect((await requestReset(api, { email })).status).toBe(202);

    expect((await verify(api, link)).status).toBe(204);

    expect(await stateOf(own)).toEqual({ email, emailVerified: true });
    expect((await api.ownUser(other.access_token)).status).toBe(401);
    expect((await verify(api, link)).status).toBe(400);
    await server.mailAbout(user.email, 'Your e-mail address was changed');
    // The reset that was requested for the address when it was not confirmed yet.
    expect(server.mailsTo(email).map(({ subject }) => subject)).toEqual([
      'Confirm your e-mail address',
    ]);
  });

  it('can be removed, and the removal is told', async () => {
    const user = await userWithMail(api, server);
    const count = server.mailsTo(user.email).length + 1;

    const answer = await patch(user.tokens.access_token, { email: null });

    expect(answer.body).toMatchObject({ email: null, emailVerified: false });
    expect((await server.mailTo(user.email, count, 40_000)).text).toContain('was removed');
  });

  it('and the displayed name can be changed in one request', async () => {
    const user = await userWithMail(api, server);
    const email = newAddress();

    const { body } = await patch(user.tokens.access_token, { email, displayName: 'Ada' });

    expect(body).toMatchObject({ email: user.email, displayName: 'Ada', pendingEmail: email });
  });

  it('of an attacker is not confirmed after the user has set a new password', async () => {
    const user = await userWithMail(api, server);
    const link = await requestChange(user, newAddress());
    await requestReset(api, { username: user.username });
    const reset = await server.mailAbout(user.email, 'Set a new password');
    expect((await confirmReset(api, tokenIn(reset))).status).toBe(204);

    expect((await verify(api, link)).status).toBe(400);
  });

  it('that an administrator sets is not confirmed, and voids links for the former one', async () => {
    const user = await userWithMail(api, server);
    const link = await requestChange(user, newAddress());
    const root = (await api.login('root')).body.access_token;
    const path = `/api/users/${user.id}`;
    const email = newAddress();

    const { body } = await api.request('PATCH', path, { token: root, body: { email } });

    expect(body).toMatchObject({ email, emailVerified: false });
    expect((await verify(api, link)).status).toBe(400);
    // A former address has to be confirmed again.
    const back = await api.request('PATCH', path, { token: root, body: { email: user.email } });
    expect(back.body).toMatchObject({ email: user.email, emailVerified: false });
  });

  it('is never confirmed by a member of a request, except of an administrator (70)', async () => {
    const body = { username: `user-${randomUUID()}`, password: GOOD_PASSWORD };
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    const root = (await api.login('root')).body.access_token;
    for (const member of ['emailVerified', 'verifiedEmail', 'pendingEmail']) {
      for (const answer of [
        await api.request('POST', '/api/users', { body: { ...body, [member]: true } }),
        await patch(token, { email: newAddress(), [member]: true }),
        ...(member === 'emailVerified'
          ? []
          : [
              await api.request('PATCH', `/api/users/${user.id}`, {
                token: root,
                body: { [member]: true },
              }),
            ]),
      ]) {
        expect(answer).toMatchObject({
          status: 400,
          body: { errors: [{ pointer: `/${member}`, code: 'unknown-member' }] },
        });
      }
    }
  });

  it('is not confirmed by a token that is made up or old, and 429 stops many mails (63)', async () => {
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    const email = newAddress();
    expect(await requestVerification(token)).toMatchObject({
      status: 409,
      body: { code: 'nothing-to-verify' },
    });
    await patch(token, { email });
    const statuses: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      statuses.push((await requestVerification(token)).status);
    }
    await server.mailTo(email, 5);
    const mails = server.mailsTo(email);

    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    expect((await verify(api, `${user.id}.${'A'.repeat(43)}`)).status).toBe(400);
    const answers = [];
    for (const mail of mails) {
      answers.push((await verify(api, tokenIn(mail))).status);
    }
    // Only the link that was made last.
    expect(answers.sort()).toEqual([204, 400, 400, 400, 400]);
    expect(await requestVerification(token)).toMatchObject({
      status: 409,
      body: { code: 'nothing-to-verify' },
    });
  });
});
