import { randomUUID } from 'node:crypto';

import { GOOD_PASSWORD, type Answer } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import {
  confirmReset,
  mailVariables,
  NEW_PASSWORD,
  newAddress,
  PUBLIC_URL,
  requestReset,
  userWithMail,
  verify,
} from '../support/mails.js';
import { eventually } from '../support/own-cluster.js';
import { dumpKeys, withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const OTHER_PASSWORD = 'seven quiet rivers bend east';

describe('a password reset by mail', () => {
  let server: MailServer;
  let api: TestApp;
  let other: TestApp;
  beforeAll(async () => {
    server = await MailServer.start();
    api = await startTestApp({
      ...mailVariables(server),
      BOOTSTRAP_ADMIN_USERNAME: 'root',
      BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
    });
    other = await startTestApp({ ...mailVariables(server), REDIS_KEY_PREFIX: api.keyPrefix });
  });
  afterAll(async () => {
    await Promise.all([api.close(), other.close()]);
    await server.stop();
  });

  const administrator = async (): Promise<{ readonly token: string }> => ({
    token: (await api.login('root')).body.access_token,
  });
  /** Mails with a link. Notices may arrive between them. */
  const linksTo = (email: string): readonly string[] =>
    server
      .mailsTo(email)
      .filter(({ text }) => text.includes('/reset-password#token='))
      .map(tokenIn);
  const linksArrive = async (email: string, count: number): Promise<void> => {
    await eventually('the links arrive', 20_000, () =>
      Promise.resolve(linksTo(email).length >= count),
    );
  };
  /** The token of the next mail with a link to the user. */
  const tokenFor = async (email: string, body: object): Promise<string> => {
    const count = linksTo(email).length + 1;
    expect((await requestReset(api, body)).status).toBe(202);
    await linksArrive(email, count);
    return linksTo(email)[count - 1]!;
  };

  it('sets a password, ends every session everywhere, and logs nobody in (43, 56)', async () => {
    const user = await userWithMail(api, server);
    const second = (await other.login(user.username)).body;
    expect((await other.ownUser(user.tokens.access_token)).status).toBe(200);
    const token = await tokenFor(user.email, { username: user.username });

    const answer = await confirmReset(api, token);

    expect({ status: answer.status, body: answer.body }).toEqual({ status: 204, body: '' });
    for (const one of [api, other]) {
      for (const tokens of [user.tokens, second]) {
        expect((await one.ownUser(tokens.access_token)).status).toBe(401);
        expect((await one.refresh(tokens.refresh_token)).status).toBe(401);
      }
    }
    expect((await other.login(user.username, GOOD_PASSWORD)).status).toBe(401);
    expect((await other.login(user.username, NEW_PASSWORD)).status).toBe(200);
  });

  it('sends a link to the configured address, with the token in its fragment (55)', async () => {
    const user = await userWithMail(api, server);
    const count = server.mailsTo(user.email).length + 1;

    await api.request('POST', '/api/password-resets', {
      body: { username: user.username },
      headers: { 'x-forwarded-host': 'evil.example', 'accept-language': 'zh-CN' },
    });

    const mail = await server.mailTo(user.email, count);
    const { subject, text, html } = mail;
    expect(subject).toBe('设置新密码');
    const link = `${PUBLIC_URL}/account/reset-password#token=${tokenIn(mail)}`;
    expect(text).toContain(`\n${link}\n`);
    expect(html).toContain(`href="${link}"`);
    expect(text + html).not.toMatch(/evil|127\.0\.0\.1/);
    expect(tokenIn(mail)).toMatch(/^[0-9a-f-]{36}\.[\w-]{43}$/);
  });

  it('stores only a digest of the token, and names nobody in its keys (30, 55, 99)', async () => {
    const user = await userWithMail(api, server);
    const token = await tokenFor(user.email, { email: user.email });

    const { keys, values } = await dumpKeys(api.keyPrefix);

    expect(keys.join()).toContain(`{user.${user.id}}:one-time-tokens`);
    expect(keys.join()).not.toContain(user.email.split('@')[0]);
    expect(JSON.stringify(values)).not.toContain(token.split('.')[1]);
  });

  it('succeeds once of 50 parallel uses, on two instances (55)', async () => {
    const user = await userWithMail(api, server);
    const there = (await other.login(user.username)).body;
    // Both instances keep both sessions in memory.
    for (const one of [api, other]) {
      for (const tokens of [user.tokens, there]) {
        expect((await one.ownUser(tokens.access_token)).status).toBe(200);
      }
    }
    const token = await tokenFor(user.email, { username: user.username });
    const passwords = Array.from({ length: 50 }, (_, index) => `${NEW_PASSWORD} ${index}`);

    const answers = await Promise.all(
      passwords.map(async (password, index) =>
        confirmReset(index % 2 === 0 ? api : other, token, password),
      ),
    );

    const winners = answers.flatMap(({ status }, index) => (status === 204 ? [index] : []));
    expect(winners).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 204);
    for (const { status, body } of others) {
      // The hashing queue may be full.
      expect([400, 503]).toContain(status);
      expect(['invalid-one-time-token', 'overloaded', 'not-confirmed']).toContain(body['code']);
    }
    for (const one of [api, other]) {
      for (const tokens of [user.tokens, there]) {
        expect((await one.ownUser(tokens.access_token)).status).toBe(401);
        expect((await one.refresh(tokens.refresh_token)).status).toBe(401);
      }
    }
    expect((await api.login(user.username, passwords[winners[0]!])).status).toBe(200);
    expect((await confirmReset(api, token)).status).toBe(400);
  });

  it('finds all users who have confirmed the address, in any case, and nobody else', async () => {
    const email = newAddress();
    const [one, two] = [
      await userWithMail(api, server, email),
      await userWithMail(api, server, email),
    ];
    const unconfirmed = await api.newUser();
    const { access_token: token } = unconfirmed.tokens;
    await api.request('PATCH', '/api/user', { token, body: { email } });
    const before = server.mailsTo(email).length;

    expect((await requestReset(api, { email: email.toUpperCase() })).status).toBe(202);

    await server.mailTo(email, before + 2);
    const mails = server.mailsTo(email).slice(before);
    for (const user of [one, two]) {
      expect(mails.filter(({ text }) => text.includes(`account ${user.username}.`))).toHaveLength(
        1,
      );
    }
    expect(mails.map(({ text }) => text).join()).not.toContain(unconfirmed.username);
  });

  it('answers the same for unknown and unconfirmed users, and sends them nothing (67)', async () => {
    const user = await userWithMail(api, server);
    const unconfirmed = await api.newUser();
    const { access_token: token } = unconfirmed.tokens;
    const email = newAddress();
    await api.request('PATCH', '/api/user', { token, body: { email } });
    const subjects = [
      { username: user.username },
      { email: user.email },
      { username: `nobody-${randomUUID()}` },
      { email: newAddress() },
      { username: unconfirmed.username },
      { email },
    ];
    const addresses = (): string[] => server.received.map(({ to }) => to);
    const before = addresses().length;

    const answers = await Promise.all(subjects.map(async (body) => requestReset(api, body)));

    const plain = ({ status, headers, body }: (typeof answers)[number]): object => ({
      status,
      body,
      headers: [...headers.keys()].sort(),
    });
    for (const answer of answers) {
      expect(plain(answer)).toEqual(plain(answers[0]!));
    }
    expect(answers[0]!.status).toBe(202);
    await eventually('all are done', 20_000, async () => (await waiting(api)) === 0);
    const known = addresses().slice(before);
    expect(known.filter((to) => to === user.email)).toHaveLength(2);
    expect(known).not.toContain(email);
    expect(known).not.toContain(subjects[3]!.email);
  });

  it.each<[string, (token: string) => string]>([
    ['made up', (token) => `${token.split('.')[0]}.${'A'.repeat(43)}`],
    ['of another user', (token) => `${randomUUID()}.${token.split('.')[1]}`],
    ['no token', () => 'x'],
    ['empty', () => ''],
    ['a pattern', () => `{user.*}.${'A'.repeat(43)}`],
    ['huge', (token) => token.repeat(500)],
  ])('refuses a token that is %s, and keeps the good one', async (_, forge) => {
    const user = await userWithMail(api, server);
    const token = await tokenFor(user.email, { username: user.username });

    const { status, body } = await confirmReset(api, forge(token));

    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'invalid-one-time-token' });
    expect((await confirmReset(api, token)).status).toBe(204);
  });

  it('stays valid after a newer request, and is void after a use of either link, and a password change (55, 62)', async () => {
    const user = await userWithMail(api, server);
    const subject = { username: user.username };
    const first = await tokenFor(user.email, subject);
    const second = await tokenFor(user.email, subject);
    const uses = await Promise.all([
      confirmReset(api, first),
      confirmReset(other, second, OTHER_PASSWORD),
    ]);
    expect(uses.map(({ status }) => status).sort()).toEqual([204, 400]);
    for (const link of [first, second]) {
      expect((await confirmReset(other, link)).status).toBe(400);
    }

    const third = await tokenFor(user.email, subject);
    const isFirst = uses[0].status === 204;
    const [now, next] = isFirst ? [NEW_PASSWORD, OTHER_PASSWORD] : [OTHER_PASSWORD, NEW_PASSWORD];
    const { access_token: token } = (await api.login(user.username, now)).body;
    const change = { currentPassword: now, newPassword: next };
    const changed = await api.request('PUT', '/api/user/password', { token, body: change });
    expect(changed.status).toBe(204);
    expect((await confirmReset(api, third)).status).toBe(400);
    expect((await api.login(user.username, next)).status).toBe(200);
  });

  it('is void when the address of the user has changed since', async () => {
    const user = await userWithMail(api, server);
    const reset = await tokenFor(user.email, { username: user.username });
    const admin = await administrator();
    const body = { email: newAddress() };
    const path = `/api/users/${user.id}`;
    expect((await api.request('PATCH', path, { token: admin.token, body })).status).toBe(200);

    expect((await confirmReset(api, reset)).status).toBe(400);
    expect((await api.login(user.username)).status).toBe(200);
  });

  it('expires after 15 minutes', async () => {
    const user = await userWithMail(api, server);
    const token = await tokenFor(user.email, { username: user.username });
    const key = `${api.keyPrefix}v1:{user.${user.id}}:one-time-tokens`;
    await withRedis(async (_, cluster) => {
      const [stored] = JSON.parse((await cluster.hget(key, 'password-reset'))!) as [
        { readonly expiresAt: number },
      ];
      const leftMs = stored.expiresAt - Date.now();
      expect(leftMs).toBeGreaterThan(14 * 60_000);
      expect(leftMs).toBeLessThanOrEqual(15 * 60_000);
      const past = JSON.stringify([{ ...stored, expiresAt: Date.now() - 1 }]);
      await cluster.hset(key, 'password-reset', past);
    });

    expect((await confirmReset(api, token)).status).toBe(400);
    expect((await api.login(user.username)).status).toBe(200);
  });

  it('applies the password policy, and the token stays valid (51)', async () => {
    const user = await userWithMail(api, server);
    const token = await tokenFor(user.email, { username: user.username });

    const short = await confirmReset(api, token, 'short');
    const own = await confirmReset(api, token, user.email);

    expect(short).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', errors: [{ pointer: '/newPassword', code: 'too-short' }] },
    });
    expect(own.body['errors']).toMatchObject([{ pointer: '/newPassword' }]);
    expect((await confirmReset(api, token)).status).toBe(204);
  });

  it('sends at most three mails while a link is valid, however many are requested, and each link works (62, 63)', async () => {
    const user = await userWithMail(api, server);
    for (let count = 0; count < 6; count += 1) {
      expect((await requestReset(api, { username: user.username })).status).toBe(202);
      await eventually('it is done', 20_000, async () => (await waiting(api)) === 0);
    }

    const links = linksTo(user.email);
    expect(links).toHaveLength(3);
    expect((await confirmReset(api, links[0]!)).status).toBe(204);
    expect((await confirmReset(api, links[2]!)).status).toBe(400);
  });

  it('works while strangers have blocked the logins of the user, and lets the user in (62)', async () => {
    const user = await userWithMail(api, server);
    for (let count = 0; count < 10; count += 1) {
      await api.login(user.username, 'not the password at all');
    }
    expect((await api.login(user.username)).status).toBe(429);
    const token = await tokenFor(user.email, { username: user.username });

    const { status, headers } = await confirmReset(api, token);

    expect(status).toBe(204);
    const cookie = headers.get('set-cookie')!.split(';')[0]!;
    const body = { username: user.username, password: NEW_PASSWORD };
    expect((await api.request('POST', '/api/login', { body })).status).toBe(429);
    expect((await api.request('POST', '/api/login', { body, headers: { cookie } })).status).toBe(
      200,
    );
  });

  it('is not sent to a disabled user, and a link that was sent is void', async () => {
    const user = await userWithMail(api, server);
    const token = await tokenFor(user.email, { username: user.username });
    const admin = await administrator();
    const disable = { token: admin.token, body: { disabled: true } };
    expect((await api.request('PATCH', `/api/users/${user.id}`, disable)).status).toBe(200);
    const before = server.mailsTo(user.email).length;

    expect((await confirmReset(api, token)).status).toBe(400);
    expect((await requestReset(api, { username: user.username })).status).toBe(202);

    await eventually('it is done', 20_000, async () => (await waiting(api)) === 0);
    expect(server.mailsTo(user.email)).toHaveLength(before);
  });

  it('can be requested by an administrator, who does not learn or choose the password (56)', async () => {
    const user = await userWithMail(api, server);
    const unconfirmed = await api.newUser();
    const admin = await administrator();
    const { token } = admin;
    const count = server.mailsTo(user.email).length + 1;
    const path = (id: string): string => `/api/users/${id}/password-reset`;

    const answer = await api.request('POST', path(user.id), { token });

    expect({ status: answer.status, body: answer.body }).toEqual({ status: 202, body: '' });
    const mail = await server.mailTo(user.email, count);
    expect((await api.ownUser(user.tokens.access_token)).status).toBe(200);
    expect((await confirmReset(api, tokenIn(mail))).status).toBe(204);
    const refused = await api.request('POST', path(unconfirmed.id), { token });
    expect(refused).toMatchObject({ status: 409, body: { code: 'no-verified-email' } });
    expect((await api.request('POST', path(randomUUID()), { token })).status).toBe(404);
    const { access_token: ordinary } = unconfirmed.tokens;
    expect((await api.request('POST', path(user.id), { token: ordinary })).status).toBe(403);
    const ownPath = `/api/users/${unconfirmed.id}`;
    const setDisabled = async (disabled: boolean) =>
      api.request('PATCH', ownPath, { token, body: { disabled } });
    await setDisabled(true);
    expect(await api.request('POST', path(unconfirmed.id), { token })).toMatchObject({
      status: 409,
      body: { code: 'user-disabled' },
    });
    await setDisabled(false);
    const email = newAddress();
    const confirmed = { email, emailVerified: true };
    expect((await api.request('PATCH', ownPath, { token, body: confirmed })).status).toBe(200);
    expect((await api.request('POST', path(unconfirmed.id), { token })).status).toBe(202);
    expect((await confirmReset(api, tokenIn(await server.mailTo(email)))).status).toBe(204);
  });

  it('can be requested by administrators ten times in an hour for one address, also for invitations (63)', async () => {
    const user = await userWithMail(api, server);
    const { token } = await administrator();
    const invite = async (email: string): Promise<Answer> => {
      const username = `user-${randomUUID().slice(0, 8)}`;
      return api.request('POST', '/api/users', { token, body: { username, email } });
    };
    const reset = async (): Promise<Answer> =>
      api.request('POST', `/api/users/${user.id}/password-reset`, { token });
    expect((await invite(user.email.toUpperCase())).status).toBe(201);
    for (let count = 1; count < 10; count += 1) {
      expect((await reset()).status).toBe(202);
    }

    for (const refused of [await reset(), await invite(user.email)]) {
      expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-attempts' } });
      const wait = Number(refused.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(3000);
      expect(wait).toBeLessThanOrEqual(3600);
    }
    expect((await invite(newAddress())).status).toBe(201);
    await linksArrive(user.email, 9);
    // The requests of the user are not affected.
    const link = await tokenFor(user.email, { username: user.username });
    expect((await confirmReset(api, link)).status).toBe(204);
  });

  it.each([
    [{}, ['/username', '/email'], 'one-of'],
    [{ username: 'ada', email: 'ada@example.com' }, ['/username', '/email'], 'one-of'],
    [{ username: '' }, ['/username'], 'too-short'],
    [{ username: null }, ['/username'], 'not-a-string'],
    [{ username: 'a'.repeat(300) }, ['/username'], 'too-long'],
    [{ email: 'nobody' }, ['/email'], 'not-an-email'],
    [{ email: ['a@example.com', 'b@example.com'] }, ['/email'], 'not-a-string'],
    [{ email: 'a@example.com\r\nBcc: b@example.com' }, ['/email'], 'not-an-email'],
    [{ username: 'ada', id: 'x' }, ['/id'], 'unknown-member'],
  ])('refuses the request %j', async (body, pointers, code) => {
    const answer = await requestReset(api, body);

    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    const errors = answer.body['errors'] as { pointer: string; code: string }[];
    expect(errors.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(errors.every((error) => error.code === code)).toBe(true);
  });

  it('does not verify a mail address, and a verification token resets no password', async () => {
    const user = await userWithMail(api, server);
    const reset = await tokenFor(user.email, { username: user.username });
    const { access_token: token } = user.tokens;
    const email = newAddress();
    await api.request('PATCH', '/api/user', { token, body: { email } });
    const verification = tokenIn(await server.mailTo(email));

    expect((await verify(api, reset)).status).toBe(400);
    expect((await confirmReset(api, verification)).status).toBe(400);
    expect((await confirmReset(api, reset)).status).toBe(204);
  });
});

describe('the limits of password resets', () => {
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

  it('stop one address that requests many resets, known users or not (63, 68)', async () => {
    const user = await userWithMail(api, server);
    const statuses: number[] = [];
    for (let count = 0; count < 53; count += 1) {
      const username = count % 2 === 0 ? user.username : `nobody-${count}`;
      const answer = await requestReset(api, { username });
      statuses.push(answer.status);
      if (answer.status === 429) {
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
    }

    expect(statuses).toEqual([...Array.from({ length: 50 }, () => 202), 429, 429, 429]);
  });

  it('stop one address that tries many tokens (63)', async () => {
    const statuses = new Map<number, number>();
    for (let count = 0; count < 105; count += 1) {
      const { status } = await confirmReset(api, `${randomUUID()}.${'A'.repeat(43)}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }

    expect(Object.fromEntries(statuses)).toEqual({ 400: 100, 429: 5 });
  });
});

describe('without a mail server', () => {
  it('a link is logged in development, and the log says why', async () => {
    const api = await Instance.start({ LOG_LEVEL: 'info' });
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    await api.request('PATCH', '/api/user', { token, body: { email: 'ada@example.com' } });

    expect((await api.request('POST', '/api/user/email-verification', { token })).status).toBe(202);

    await eventually('the mail is logged', 20_000, () =>
      Promise.resolve(/verify-email#token=/.test(api.output())),
    );
    expect(api.output()).toContain('MAIL_URL is not set');
    const [, logged = ''] = /verify-email#token=([\w.-]+)/.exec(api.output()) ?? [];
    expect((await verify(api, logged)).status).toBe(204);
    await api.stop();
  });

  it('what needs mail says so in production, and logs no link', async () => {
    const api = await Instance.start({
      NODE_ENV: 'production',
      ALLOW_INSECURE_HTTP: 'true',
      KEY_ENCRYPTION_SECRET: '9b1f0c7ad2e84635b7a1c0de95f3826e',
      REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:`,
      LOG_LEVEL: 'info',
    });
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    const patched = await api.request('PATCH', '/api/user', {
      token,
      body: { email: 'ada@example.com' },
    });

    expect(patched.body).toMatchObject({ email: 'ada@example.com', emailVerified: false });
    for (const answer of [
      await requestReset(api, { username: user.username }),
      await api.request('POST', '/api/user/email-verification', { token }),
    ]) {
      expect(answer).toMatchObject({ status: 501, body: { code: 'mail-not-configured' } });
    }
    await api.logged();
    expect(api.output()).not.toMatch(/#token=/);
    await api.stop();
  });
});

/** Number of requests in the outbox. */
async function waiting({ keyPrefix }: TestApp): Promise<number> {
  return withRedis(async (_, cluster) => {
    const entries = await Promise.all(
      ['0', '1', '2', '3'].map(async (partition) =>
        cluster.hvals(`${keyPrefix}v1:{mail-outbox.${partition}}:entries`),
      ),
    );
    return entries.flat().filter((entry) => entry.includes('"password-reset')).length;
  });
}
