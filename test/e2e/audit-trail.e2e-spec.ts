import { randomUUID } from 'node:crypto';

import { AuditLog, type AuditTrail, type TrailQuery } from '../../src/index.js';
import {
  startAdministration,
  WITH_ADMINISTRATOR,
  type Administration,
} from '../support/deployment.js';
import {
  GOOD_PASSWORD,
  type Answer,
  type HttpClient,
  type Tokens,
} from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { runKeysCommand } from '../support/keys-command.js';
import { eventually } from '../support/own-cluster.js';
import { dumpKeys } from '../support/redis.js';
import { basic, createAccount, postForm } from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

interface Item {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly result?: string;
  readonly actor?: { readonly kind: string; readonly id?: string };
  readonly subject?: { readonly kind: string; readonly id: string };
  readonly ip?: string;
  readonly requestId?: string;
  readonly details?: Record<string, unknown>;
}

interface Page {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
  readonly code?: string;
  readonly errors?: unknown;
}

const RECORDED_WITHIN_MS = 5000;

describe('the audit trail', () => {
  let api: TestApp;
  let other: Instance;
  let admin: Tokens;
  let adminId: string;
  let asAdmin: Administration['asAdmin'];
  let stop: Administration['stop'];
  beforeAll(async () => {
    ({ api, other, admin, adminId, asAdmin, stop } = await startAdministration());
  });
  afterAll(async () => stop());

  const pageOf = async (
    parameters: Record<string, string>,
    { token = admin.access_token, at = other }: { token?: string; at?: HttpClient } = {},
  ): Promise<Answer<Page>> =>
    at.request('GET', `/api/audit?${new URLSearchParams(parameters).toString()}`, { token });
  /** The events on all pages. */
  const listed = async (parameters: Record<string, string>): Promise<Item[]> => {
    const items: Item[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answer<Page> = await pageOf({ ...parameters, ...(cursor && { cursor }) });
      expect(page.status).toBe(200);
      items.push(...page.body.items);
      cursor = page.body.nextCursor;
    }
    return items;
  };
  /** The events, except the reads of this test, when there are as many. */
  const recorded = async (parameters: Record<string, string>, count: number): Promise<Item[]> => {
    let items: Item[] = [];
    await eventually(`${count} events`, RECORDED_WITHIN_MS, async () => {
      items = (await listed(parameters)).filter(({ type }) => type !== 'audit-read');
      return items.length >= count;
    });
    expect(items).toHaveLength(count);
    return items;
  };

  it('has what every instance does, with actor, subject, address, request and result, the newest first', async () => {
    const { id } = await api.newUser();
    expect((await asAdmin('PATCH', id, { roles: ['admin'] })).status).toBe(200);
    const token = admin.access_token;
    const ended = await other.request('DELETE', `/api/users/${id}/sessions`, { token });
    expect(ended.status).toBe(204);
    const deleted = await other.request('DELETE', `/api/users/${id}`, { token });

    const [deletion, ending, change, login, registration] = await recorded({ user: id }, 5);

    expect(deletion).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      type: 'user-deleted',
      at: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
      result: 'success',
      actor: { kind: 'user', id: adminId, sessionId: admin.session_id },
      subject: { kind: 'user', id },
      ip: '127.0.0.1',
      requestId: deleted.headers.get('x-request-id'),
    });
    const byAdmin = { actor: { kind: 'user', id: adminId }, subject: { id } };
    expect(ending).toMatchObject({ type: 'sessions-ended', ...byAdmin });
    expect(change).toMatchObject({
      type: 'access-changed',
      details: { roles: ['admin'] },
      ...byAdmin,
    });
    expect(login).toMatchObject({ type: 'logged-in', actor: { kind: 'user', id } });
    expect(registration).toMatchObject({ type: 'user-registered', actor: { kind: 'anonymous' } });
    const age = Date.now() - Date.parse(deletion!.at);
    expect(Math.abs(age)).toBeLessThan(60_000);
  });

  it('finds events by user, by type, and by both', async () => {
    const [{ id: one }, { id: two }] = [await api.newUser(), await other.newUser()];
    for (const id of [one, two]) {
      expect((await asAdmin('GET', id)).status).toBe(200);
      expect((await asAdmin('PATCH', id, { disabled: true })).status).toBe(200);
    }

    const ofOne = await recorded({ user: one }, 4);
    const typesOf = (items: readonly Item[]): string[] => items.map(({ type }) => type);
    expect(typesOf(ofOne)).toEqual(['access-changed', 'user-read', 'logged-in', 'user-registered']);
    expect(await recorded({ user: one.toUpperCase(), type: 'user-read' }, 1)).toEqual([ofOne[1]]);
    expect(await recorded({ user: one, type: 'users-listed' }, 0)).toEqual([]);
    const reads = await listed({ type: 'user-read' });
    expect(reads.map(({ subject }) => subject!.id)).toEqual([two, one]);
    // The administrator is the actor.
    const byAdmin = await listed({ user: adminId, type: 'user-read' });
    expect(byAdmin).toEqual(reads);
    const all = await listed({ limit: '100' });
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    expect(all.filter(({ type }) => type === 'user-read')).toEqual(reads);
    expect(await listed({ type: 'never-heard-of' })).toEqual([]);
    expect(await listed({ user: randomUUID() })).toEqual([]);
  });

  it('lists each event once and in order, while others are recorded', async () => {
    const audit = api.app.get(AuditLog);
    const type = `counted-${randomUUID()}`;
    const record = (count: number): void => {
      for (let number = 0; number < count; number += 1) {
        audit.record({ type, details: { number } });
      }
    };
    record(57);
    const before = await recorded({ type }, 57);
    expect(before.map(({ details }) => details!['number'])).toEqual(
      Array.from({ length: 57 }, (_, index) => 56 - index),
    );

    const seen: Item[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      record(5);
      const page: Answer<Page> = await pageOf({ type, limit: '10', ...(cursor && { cursor }) });
      seen.push(...page.body.items);
      cursor = page.body.nextCursor;
    }

    const ids = seen.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    expect(seen.slice(-57)).toEqual(before);
  });

  it('has the reading of the trail itself', async () => {
    const { id } = await api.newUser();
    const conditions = { user: id, type: 'logged-in' };
    await eventually('the login is listed', RECORDED_WITHIN_MS, async () => {
      return (await pageOf(conditions)).body.items.length > 0;
    });

    let reads: readonly Item[] = [];
    await eventually('the read is recorded', RECORDED_WITHIN_MS, async () => {
      reads = (await pageOf({ user: id, type: 'audit-read' })).body.items;
      return reads.length > 0;
    });
    expect(reads.at(-1)).toMatchObject({
      result: 'success',
      actor: { kind: 'user', id: adminId },
      subject: { kind: 'user', id },
      details: { events: expect.any(Number) as unknown, type: 'logged-in' },
    });
  });

  it('requires the permission audit:read, and has the refusal', async () => {
    const user = await api.newUser();

    expect((await pageOf({}, { token: user.tokens.access_token })).body.code).toBe('forbidden');
    expect((await other.request('GET', '/api/audit')).status).toBe(401);

    expect(await recorded({ user: user.id, type: 'permission-refused' }, 1)).toEqual([
      expect.objectContaining({
        result: 'refused',
        reason: 'missing-permission',
        details: { required: ['audit:read'] },
      }),
    ]);
    const role = { token: admin.access_token, body: { permissions: ['audit:read'] } };
    expect((await api.request('PUT', '/api/roles/auditor', role)).status).toBe(204);
    expect((await asAdmin('PATCH', user.id, { roles: ['auditor'] })).status).toBe(200);
    expect((await pageOf({}, { token: user.tokens.access_token })).status).toBe(200);
  });

  it.each([
    ['/limit', { limit: '0' }],
    ['/limit', { limit: '101' }],
    ['/limit', { limit: '1e1' }],
    ['/cursor', { cursor: 'made up' }],
    ['/cursor', { cursor: Buffer.from('["x","y"]').toString('base64url') }],
    ['/user', { user: 'ada' }],
    ['/type', { type: 'a\u0000' }],
    ['/type', { type: 'x'.repeat(101) }],
    ['/from', { from: '2026-01-01' }],
  ])('names what is wrong in %s of %j', async (pointer, parameters) => {
    const { status, body } = await pageOf(parameters);

    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid-request' });
    expect(body.errors).toEqual([expect.objectContaining({ pointer })]);
  });

  it('refuses the cursor of other conditions', async () => {
    const { id } = await api.newUser();
    await recorded({ user: id }, 2);
    const { nextCursor: cursor } = (await pageOf({ user: id, limit: '1' })).body;
    expect(cursor).not.toBeNull();

    for (const conditions of [{}, { type: 'logged-in' }, { user: id, type: 'logged-in' }]) {
      const { status, body } = await pageOf({ ...conditions, cursor: cursor! });
      expect({ status, errors: body.errors }).toMatchObject({
        status: 400,
        errors: [{ pointer: '/cursor', code: 'unknown-cursor' }],
      });
    }
    expect((await pageOf({ user: id, cursor: cursor! })).status).toBe(200);
  });

  it('has what the operator does on the command line', async () => {
    const { stdout } = await runKeysCommand({ REDIS_KEY_PREFIX: api.keyPrefix }, 'rotate', '--now');
    expect(stdout).toContain('signs now');

    const [activated] = await recorded({ type: 'signing-key-activated' }, 1);
    expect(activated).toMatchObject({ actor: { kind: 'operator' }, result: 'success' });
  });

  it('has what an instance did until it was stopped, also for its last requests', async () => {
    const third = await Instance.start({ REDIS_KEY_PREFIX: api.keyPrefix });
    const { id, username, password } = await api.newUser();
    const logins = Array.from({ length: 20 }, async () => third.login(username, password));
    await Promise.race(logins);
    await third.stop();

    // Connections that the instance had not accepted yet are refused.
    const results = await Promise.allSettled(logins);
    const answered = results.filter(
      (result) => result.status === 'fulfilled' && result.value.status === 200,
    );
    expect(answered.length).toBeGreaterThan(0);
    const events = await listed({ user: id, type: 'logged-in' });
    // One is of the test itself. A login whose answer was cut off may be recorded as well.
    expect(events.length).toBeGreaterThanOrEqual(answered.length + 1);
  });

  it('has no secret and no personal data, neither in its answers nor in Redis (91)', async () => {
    const person = {
      username: `margaret-${randomUUID()}`,
      password: GOOD_PASSWORD,
      email: `${randomUUID()}@apollo.test`,
      displayName: 'Margaret Heafield',
    };
    const wrong = `wrong-${randomUUID()}`;
    const changed = `changed ${randomUUID()}`;
    expect((await api.request('POST', '/api/users', { body: person })).status).toBe(201);
    expect((await api.login(person.username, wrong)).status).toBe(401);
    expect((await api.login(wrong, wrong)).status).toBe(401);
    const { body: tokens } = await api.login(person.username);
    const { body: next } = await api.refresh(tokens.refresh_token);
    expect((await api.refresh('rt_nonsense')).status).toBe(401);
    const token = next.access_token;
    const passwords = { currentPassword: GOOD_PASSWORD, newPassword: changed };
    expect(
      (await api.request('PUT', '/api/user/password', { token, body: passwords })).status,
    ).toBe(204);
    await pageOf({}, { token });
    const account = await createAccount(api, admin.access_token);
    const grant = { grant_type: 'client_credentials' };
    const { body: issued } = await postForm(api, '/oauth/token', grant, basic(account));
    await postForm(api, '/oauth/token', grant, basic({ ...account, clientSecret: wrong }));
    const { body: own } = await api.ownUser(token);
    await recorded({ user: String(own['id']), type: 'password-changed' }, 1);
    await recorded({ user: account.id, type: 'client-token-issued' }, 1);

    const { keys, values } = await dumpKeys(api.keyPrefix);
    const stored = keys.flatMap((key, index) =>
      /:\{audit(?:-user)?\./.test(key) ? [key, JSON.stringify(values[index])] : [],
    );
    const texts = [JSON.stringify(await listed({ limit: '100' })), stored.join('\n')];
    expect(texts[1]).toContain('logged-in');
    const secrets = [
      ...Object.values(person),
      wrong,
      changed,
      account.clientSecret,
      'rt_nonsense',
      String(issued['access_token']),
      ...[tokens, next, admin].flatMap((one) => [one.access_token, one.refresh_token]),
    ];
    for (const secret of secrets) {
      for (const text of texts) {
        expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
      }
    }
  });
});

describe('an application', () => {
  const admin = WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME;
  const pageOf = async (api: TestApp, language: string): Promise<Answer> => {
    const token = (await api.login(admin)).body.access_token;
    const headers = { 'accept-language': language };
    return api.request('GET', '/api/audit', { token, headers });
  };

  it('without a trail says so, and stores no event in Redis', async () => {
    const api = await startTestApp({ ...WITH_ADMINISTRATOR, AUDIT_RETENTION: '0' });
    try {
      const problem = { status: 501, body: { code: 'audit-trail-not-supported' } };
      expect(await pageOf(api, 'en')).toMatchObject(problem);
      expect((await pageOf(api, 'zh')).body).toMatchObject({ title: '没有可读取的审计记录' });
      await api.close();
      const { keys } = await dumpKeys(api.keyPrefix);
      expect(keys.filter((key) => key.includes('{audit'))).toEqual([]);
    } finally {
      await api.close();
    }
  });

  it('with a trail of its own lists that one, and stores no event in Redis', async () => {
    const asked: unknown[] = [];
    const trail: AuditTrail = {
      list: async (query: TrailQuery, after, limit) => {
        asked.push({ query, after, limit });
        return Promise.resolve({
          events: [{ id: 'one', at: new Date(0), type: 'orders.shipped', actor: 'system' }],
          next: 'more',
        });
      },
    };
    const api = await startTestApp(WITH_ADMINISTRATOR, { auditTrail: { useValue: trail } });
    try {
      expect(await pageOf(api, 'en')).toMatchObject({
        status: 200,
        body: {
          items: [{ id: 'one', type: 'orders.shipped', actor: { kind: 'system' } }],
          nextCursor: 'more',
        },
      });
      expect(asked).toEqual([{ query: {}, after: undefined, limit: 20 }]);
      await api.close();
      const { keys } = await dumpKeys(api.keyPrefix);
      expect(keys.filter((key) => key.includes('{audit'))).toEqual([]);
    } finally {
      await api.close();
    }
  });
});
