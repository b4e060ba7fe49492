import { randomUUID } from 'node:crypto';

import { GOOD_PASSWORD, type Answer } from '../support/http-client.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import { confirmReset, mailVariables, NEW_PASSWORD, newAddress } from '../support/mails.js';
import { eventually } from '../support/own-cluster.js';
import { withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const newName = (): string => `user-${randomUUID().slice(0, 8)}`;

describe('users whom an administrator creates, while registration is closed', () => {
  let server: MailServer;
  let api: TestApp;
  let other: TestApp;
  let token: string;
  beforeAll(async () => {
    server = await MailServer.start();
    const variables = { ...mailVariables(server), REGISTRATION: 'closed' };
    api = await startTestApp({
      ...variables,
      BOOTSTRAP_ADMIN_USERNAME: 'root',
      BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
    });
    other = await startTestApp({ ...variables, REDIS_KEY_PREFIX: api.keyPrefix });
    token = (await api.login('root')).body.access_token;
  });
  afterAll(async () => {
    await Promise.all([api.close(), other.close()]);
    await server.stop();
  });

  const create = async (body: object, from = token, instance = api): Promise<Answer> =>
    instance.request('POST', '/api/users', { token: from, body });
  const outboxSize = async (): Promise<number> =>
    withRedis(async (_, redis) => {
      const keys = '0123456789abcdef'
        .split('')
        .map((digit) => `${api.keyPrefix}v1:{mail-outbox.${digit}}:entries`);
      const sizes = await Promise.all(keys.map(async (key) => redis.hlen(key)));
      return sizes.reduce((sum, size) => sum + size, 0);
    });

  it('log in at once with the password that they were given', async () => {
    const username = newName();

    const created = await create({ username, password: GOOD_PASSWORD });

    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toMatch(`/api/users/${String(created.body['id'])}`);
    expect((await other.login(username)).status).toBe(200);
  });

  it('are invited without a password, and set one with the link in the mail (55, 56)', async () => {
    const [username, email] = [newName(), newAddress()];

    const created = await create({ username, email, displayName: 'Ada' });

    expect(created).toMatchObject({
      status: 201,
      body: { username, email, emailVerified: false, displayName: 'Ada', roles: [] },
    });
    for (const password of ['', GOOD_PASSWORD, 'undefined']) {
      expect((await api.login(username, password)).status).toBe(401);
    }
    const mail = await server.mailTo(email);
    expect(mail.text).toContain('/account/reset-password#token=');
    const passwords = Array.from({ length: 20 }, (_, index) => `${NEW_PASSWORD} ${index}`);
    const answers = await Promise.all(
      passwords.map(async (password, index) =>
        confirmReset(index % 2 === 0 ? api : other, tokenIn(mail), password),
      ),
    );
    const winners = answers.flatMap(({ status }, index) => (status === 204 ? [index] : []));
    expect(winners).toHaveLength(1);
    const login = await other.login(username, passwords[winners[0]!]);
    expect(login.status).toBe(200);
    const { body } = await api.ownUser(login.body.access_token);
    expect(body).toMatchObject({ email, emailVerified: true });
    expect(server.mailsTo(email).filter(({ subject }) => subject === mail.subject)).toHaveLength(1);
  });

  it('get another link beside the first, while they have no password, and set one once', async () => {
    const [username, email] = [newName(), newAddress()];
    const { id } = (await create({ username, email })).body as { readonly id: string };
    const first = tokenIn(await server.mailTo(email));

    const again = await api.request('POST', `/api/users/${id}/password-reset`, { token });

    expect(again.status).toBe(202);
    const second = tokenIn(await server.mailTo(email, 2));
    expect(second).not.toBe(first);
    expect((await confirmReset(api, first)).status).toBe(204);
    expect((await confirmReset(api, second, `${NEW_PASSWORD} again`)).status).toBe(400);
  });

  it('have a link that ends when an administrator changes the address, disables or deletes them', async () => {
    const changes = [
      async (id: string) =>
        api.request('PATCH', `/api/users/${id}`, { token, body: { email: newAddress() } }),
      async (id: string) =>
        api.request('PATCH', `/api/users/${id}`, { token, body: { disabled: true } }),
      async (id: string) => api.request('DELETE', `/api/users/${id}`, { token }),
    ];
    for (const change of changes) {
      const email = newAddress();
      const { id } = (await create({ username: newName(), email })).body as { readonly id: string };
      const link = tokenIn(await server.mailTo(email));

      expect((await change(id)).status).toBeLessThan(300);

      expect((await confirmReset(other, link)).status).toBe(400);
    }
  });

  it('are created once by 20 callers with one name, and invited once', async () => {
    const username = newName();
    const addresses = Array.from({ length: 20 }, newAddress);

    const answers = await Promise.all(
      addresses.map(async (email, index) =>
        create({ username, email }, token, index % 2 === 0 ? api : other),
      ),
    );

    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    const created = answers.find(({ status }) => status === 201)!;
    await server.mailTo(String(created.body['email']));
    await create({ username: newName(), email: newAddress() });
    expect(addresses.flatMap((email) => server.mailsTo(email))).toHaveLength(1);
  });

  it.each([
    [
      'without a password and an address',
      { username: 'lovelace' },
      '/email',
      'missing-for-invitation',
    ],
    ['with a wrong address', { username: 'lovelace', email: 'ada' }, '/email', 'not-an-email'],
    [
      'with null as the password',
      { username: 'lovelace', password: null },
      '/password',
      'not-a-string',
    ],
    [
      'with a short password',
      { username: 'lovelace', password: 'short' },
      '/password',
      'too-short',
    ],
  ])('are not created %s', async (_, body, pointer, code) => {
    const before = await outboxSize();

    const answer = await create(body);

    expect(answer.status).toBe(400);
    expect(answer.body['errors']).toMatchObject([{ pointer, code }]);
    // Mails of other tests may have been sent meanwhile.
    expect(await outboxSize()).toBeLessThanOrEqual(before);
    expect((await create({ username: 'lovelace', password: GOOD_PASSWORD })).status).toBe(201);
    const users = await api.request('GET', '/api/users?q=lovelace', { token });
    const [{ id }] = (users.body as { items: [{ id: string }] }).items;
    await api.request('DELETE', `/api/users/${id}`, { token });
  });

  it('are created by nobody without the permission (56, 92)', async () => {
    const username = newName();
    await create({ username, password: GOOD_PASSWORD });
    const { access_token: plain } = (await api.login(username)).body;

    const refused = await Promise.all([
      create({ username: newName(), password: GOOD_PASSWORD }, plain),
      api.request('POST', '/api/users', { body: { username: newName(), email: newAddress() } }),
      create({ username: newName(), password: GOOD_PASSWORD }, `${token}x`),
    ]);

    expect(refused.map(({ status, body }) => [status, body['code']])).toEqual([
      [403, 'registration-closed'],
      [403, 'registration-closed'],
      [401, 'invalid-token'],
    ]);
  });

  it('are in the trail with the administrator as the actor', async () => {
    const admin = (await api.ownUser(token)).body.id;
    const { id } = (await create({ username: newName(), email: newAddress() })).body as {
      readonly id: string;
    };

    let items: unknown[] = [];
    await eventually('the event', 5000, async () => {
      const trail = await other.request('GET', `/api/audit?user=${id}&type=user-registered`, {
        token,
      });
      ({ items } = trail.body as { items: unknown[] });
      return items.length > 0;
    });
    expect(items).toMatchObject([
      {
        actor: { kind: 'user', id: admin },
        subject: { kind: 'user', id },
        details: { isInvited: true },
      },
    ]);
  });
});
