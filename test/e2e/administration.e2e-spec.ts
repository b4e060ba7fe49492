import { randomUUID } from 'node:crypto';

import { startAdministration, type Administration } from '../support/deployment.js';
import type { TestUser, Tokens } from '../support/http-client.js';
import type { Instance } from '../support/instance.js';
import type { TestApp } from '../support/test-app.js';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('administration', () => {
  let api: TestApp;
  let other: Instance;
  let admin: Tokens;
  let adminId: string;
  let asAdmin: Administration['asAdmin'];
  let expectEverywhere: Administration['expectEverywhere'];
  let stop: Administration['stop'];
  beforeAll(async () => {
    ({ api, other, admin, adminId, asAdmin, expectEverywhere, stop } = await startAdministration());
  });
  afterAll(async () => stop());

  const routes: [string, string, string, unknown][] = [
    ['reading a user', 'GET', '', undefined],
    ['changing a profile', 'PATCH', '', { displayName: 'Somebody Else' }],
    ['changing roles', 'PATCH', '', { roles: ['admin'] }],
    ['deleting a user', 'DELETE', '', undefined],
    ['listing sessions', 'GET', '/sessions', undefined],
    ['listing second factors', 'GET', '/factors', undefined],
    ['ending sessions', 'DELETE', '/sessions', undefined],
  ];

  it.each(routes)(
    '%s requires an administrator, even for the own user (101, 102)',
    async (_, method, end, body) => {
      const user = await api.newUser();
      const target = await api.newUser();
      const before = await asAdmin('GET', target.id);

      for (const id of [target.id, user.id, adminId, randomUUID(), 'nobody']) {
        const path = `/api/users/${id}${end}`;
        const anonymous = await api.request(method, path, { body });
        expect(anonymous.status).toBe(401);
        expect(anonymous.body).toMatchObject({ code: 'missing-token' });
        const { access_token: token } = user.tokens;
        const ordinary = await api.request(method, path, { token, body });
        expect(ordinary.status).toBe(403);
        expect(ordinary.body).toMatchObject({ code: 'forbidden' });
      }

      expect((await asAdmin('GET', target.id)).body).toEqual(before.body);
      await expectEverywhere(200, target.tokens, user.tokens);
    },
  );

  it.each(routes)(
    '%s for an unknown user answers 404, like a malformed id',
    async (_, method, end, body) => {
      const { id: gone } = await api.newUser();
      expect((await asAdmin('DELETE', gone)).status).toBe(204);

      for (const id of [gone, randomUUID(), 'nobody', '*', `${adminId}x`, '%7B%7D', '__proto__']) {
        const answer = await asAdmin(method, `${id}${end}`, body);
        expect({ id, status: answer.status }).toEqual({ id, status: 404 });
        expect(answer.body).toMatchObject({ code: 'not-found' });
      }
    },
  );

  it('reads a user without password data (103), and changes the profile', async () => {
    const user = await api.newUser();
    await expectEverywhere(200, user.tokens);
    const moment = expect.stringMatching(TIMESTAMP);
    const profile = { email: 'ada@example.org', displayName: 'Ada' };
    const whole = {
      id: user.id,
      username: user.username,
      roles: [],
      disabled: false,
      emailVerified: false,
      createdAt: moment,
      updatedAt: moment,
      ...profile,
    };

    const changed = await asAdmin('PATCH', user.id, profile);

    expect(changed.status).toBe(200);
    expect(changed.body).toEqual(whole);
    expect((await asAdmin('GET', user.id)).body).toEqual(whole);
    expect((await asAdmin('GET', user.id.toUpperCase())).body).toEqual(whole);
    // The user sees the new profile at once, even if an instance had cached the old one.
    expect((await other.ownUser(user.tokens.access_token)).body).toMatchObject(profile);

    const cleared = await asAdmin('PATCH', user.id, { email: null });
    expect(cleared.body).toMatchObject({ email: null, displayName: 'Ada' });

    const confirmed = { email: 'countess@example.org', emailVerified: true };
    expect((await asAdmin('PATCH', user.id, confirmed)).body).toMatchObject(confirmed);
    expect((await other.ownUser(user.tokens.access_token)).body).toMatchObject(confirmed);
  });

  it('lists the sessions of a user, and ends all of them on every instance (45)', async () => {
    const user = await api.newUser();
    const { body: another } = await api.login(user.username);
    await expectEverywhere(200, user.tokens, another);

    const listed = await asAdmin('GET', `${user.id}/sessions`);

    expect(listed.status).toBe(200);
    const moment = expect.stringMatching(TIMESTAMP);
    const shape = { createdAt: moment, lastUsedAt: moment, ip: '127.0.0.1', userAgent: 'node' };
    const items = listed.body['items'] as unknown[];
    expect(items).toHaveLength(2);
    for (const id of [user.tokens.session_id, another.session_id]) {
      expect(items).toContainEqual({ id, ...shape, current: false });
    }
    const own = await asAdmin('GET', `${adminId}/sessions`);
    expect(own.body['items']).toMatchObject([{ id: admin.session_id, current: true }]);

    expect((await asAdmin('DELETE', `${user.id}/sessions`)).status).toBe(204);

    await expectEverywhere(401, user.tokens, another);
    expect((await asAdmin('GET', `${user.id}/sessions`)).body).toEqual({ items: [] });
    const { body: next } = await api.login(user.username);
    await expectEverywhere(200, next, admin);
  });

  it('deletes a user at once on every instance, and releases the name (44)', async () => {
    const user = await api.newUser();
    await expectEverywhere(200, user.tokens);

    expect((await asAdmin('DELETE', user.id)).status).toBe(204);

    await expectEverywhere(401, user.tokens);
    expect((await other.refresh(user.tokens.refresh_token)).status).toBe(401);
    expect((await other.login(user.username)).status).toBe(401);
    expect((await asAdmin('DELETE', user.id)).status).toBe(404);
    const namesake = await other.newUser(user.username);
    expect(namesake.id).not.toBe(user.id);
    await expectEverywhere(401, user.tokens);
    await expectEverywhere(200, namesake.tokens);
  });

  const mistakes: [string, unknown, string][] = [
    ['an unknown role', { roles: ['root'] }, '/roles'],
    ['an unknown role together with a known one', { roles: ['admin', 'root'] }, '/roles'],
    ['no list of roles (71)', { roles: 'admin' }, '/roles'],
    ['null for roles (71)', { roles: null }, '/roles'],
    ['null as a role (71)', { roles: [null] }, '/roles'],
    ['a list of lists (71)', { roles: [['admin']] }, '/roles'],
    ['an object for roles (71)', { roles: { 0: 'admin', length: 1 } }, '/roles'],
    ['"yes" for disabled (71)', { disabled: 'yes' }, '/disabled'],
    ['"false" for disabled (71)', { disabled: 'false' }, '/disabled'],
    ['1 for disabled (71)', { disabled: 1 }, '/disabled'],
    ['null for disabled (71)', { disabled: null }, '/disabled'],
    ['"yes" for emailVerified (71)', { emailVerified: 'yes' }, '/emailVerified'],
    ['null for emailVerified (71)', { emailVerified: null }, '/emailVerified'],
    ['a confirmation without an address', { emailVerified: true }, '/emailVerified'],
    ['an invalid member together with a valid change', { disabled: true, email: 'a@' }, '/email'],
    ['another id (70)', { id: randomUUID() }, '/id'],
    ['another name (70)', { username: 'root' }, '/username'],
    ['a hash (70)', { passwordHash: 'x' }, '/passwordHash'],
    [
      'an unknown flag together with a valid change (70)',
      { isAdmin: true, disabled: true },
      '/isAdmin',
    ],
  ];
  const expectUnchanged = async (user: TestUser, body: unknown): Promise<unknown> => {
    const before = await asAdmin('GET', user.id);
    const answer = await asAdmin('PATCH', user.id, body);
    expect(answer.status).toBe(400);
    expect((await asAdmin('GET', user.id)).body).toEqual(before.body);
    await expectEverywhere(200, user.tokens);
    return answer.body;
  };

  it.each(mistakes)('answers 400 to %s and changes nothing', async (_, body, pointer) => {
    const problem = await expectUnchanged(await api.newUser(), body);

    expect(problem).toMatchObject({ code: 'invalid-request', errors: [{ pointer }] });
  });

  it.each([
    ['a prototype (72)', '{"__proto__":{"roles":["admin"]}}'],
    ['a constructor (72)', '{"constructor":{"prototype":{"roles":["admin"]}}}'],
  ])('answers 400 to %s and changes nothing', async (_, body) => {
    const problem = await expectUnchanged(await api.newUser(), body);

    expect(problem).toMatchObject({ code: 'malformed-request' });
  });

  it('is audited with actor and user (89, 105)', async () => {
    const { id: userId, tokens } = await api.newUser();
    const through = async (token: string, method: string, end = '', body?: unknown) =>
      (await other.request(method, `/api/users/${userId}${end}`, { token, body })).status;

    const statuses = [
      await through(tokens.access_token, 'PATCH', '', { roles: ['admin'] }),
      await through(admin.access_token, 'PATCH', '', { roles: ['admin'] }),
      await through(admin.access_token, 'PATCH', '', { email: 'a@b.example', emailVerified: true }),
      await through(admin.access_token, 'PATCH', '', { disabled: true }),
      await through(admin.access_token, 'DELETE', '/sessions'),
      await through(admin.access_token, 'DELETE'),
    ];

    expect(statuses).toEqual([403, 200, 200, 200, 204, 204]);
    const audited = async (type: string) =>
      (await other.audited(type)).filter((event) => event['userId'] === userId);
    expect(await audited('permission-refused')).toHaveLength(1);
    expect(await audited('access-changed')).toMatchObject([
      { actorId: adminId, details: { roles: ['admin'] } },
      { actorId: adminId, details: { disabled: true } },
    ]);
    expect(await audited('profile-changed')).toMatchObject([
      { actorId: adminId, details: { members: ['email', 'emailVerified'], emailVerified: true } },
    ]);
    expect(await audited('sessions-ended')).toMatchObject([{ actorId: adminId }]);
    expect(await audited('user-deleted')).toMatchObject([{ actorId: adminId }]);
  });
});
