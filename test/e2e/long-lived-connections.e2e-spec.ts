import { jest } from '@jest/globals';
import { Controller, Get, Module, Res, Sse } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { firstValueFrom, interval, map, NEVER, startWith, type Observable } from 'rxjs';

import {
  CurrentUser,
  Public,
  type ClientPrincipal,
  type UserPrincipal,
} from '../../src/common/authentication/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { AccessTokenValidator } from '../../src/guard/access-token-validator.js';
import { AccessWatch, type AccessEnd } from '../../src/guard/index.js';
import { LocalStore } from '../../src/near-cache/local-store.js';
import { ServiceAccountReader } from '../../src/service-accounts/read/index.js';
import { SessionsService } from '../../src/sessions/index.js';
import { SessionReader } from '../../src/user-slot/read/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import type { TestUser } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import {
  basic,
  changeAccount,
  createAccount,
  postForm,
  tokenOf,
  type TestAccount,
} from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const EVENT = { data: 'first' };

@Controller('api/streams')
class StreamsController {
  @Sse('guarded') guarded(): Observable<typeof EVENT> {
    return NEVER.pipe(startWith(EVENT));
  }
  @Public() @Sse('public') public(): Observable<object> {
    return interval(20).pipe(map((data) => ({ data })));
  }
  @Public() @Get('raw') raw(@Res() reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson' }).write('{}\n');
  }
  @Get('token') token(@CurrentUser() { tokenId }: UserPrincipal): string {
    return tokenId;
  }
}

@Module({ controllers: [StreamsController] })
class StreamsModule {}

const start = async (variables: Record<string, string>): Promise<TestApp> =>
  startTestApp(variables, { imports: [StreamsModule] });

/** @returns once the first event has arrived */
async function open(api: TestApp, path: string, token?: string) {
  const response = await fetch(`${api.url}/api/streams/${path}`, {
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  expect(response.status).toBe(200);
  const reader = response.body!.getReader();
  await reader.read();
  const ended = (async () => {
    while (!(await reader.read()).done) {
      // until the server ends it
    }
  })();
  return { ended, hangUp: async () => reader.cancel() };
}

describe('a long-lived connection', () => {
  let one: TestApp;
  let other: TestApp;
  let administrator: string;
  const prefix = { REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:` };
  const variables = { ...WITH_ADMINISTRATOR, ...prefix };
  beforeAll(async () => {
    one = await start(variables);
    other = await start(variables);
    const { body } = await one.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    administrator = body.access_token;
  });
  afterAll(async () => Promise.all([one.close(), other.close()]));

  const expectNoListeners = (api: TestApp): void => {
    const { count } = api.app.get(AccessWatch);
    const { listenedCount } = api.app.get(LocalStore, { strict: false });
    // The instance itself listens to changes of the signing keys.
    expect({ count, listenedCount }).toEqual({ count: 0, listenedCount: 1 });
  };
  const asAdministrator = async (method: string, path: string, body?: object) =>
    other.request(method, path, { token: administrator, ...(body ? { body } : {}) });

  const ENDS: [string, (user: TestUser) => Promise<unknown>][] = [
    ['a logout', async ({ tokens }) => other.logout(tokens.access_token)],
    [
      'a logout after other changes of the user',
      async ({ tokens: { access_token: token } }) => {
        for (const displayName of ['Ada', 'Ada L.', 'Ada Lovelace']) {
          await other.request('PATCH', '/api/user', { token, body: { displayName } });
        }
        return other.logout(token);
      },
    ],
    [
      'the end of one session by its user',
      async ({ username, tokens }) => {
        const { body } = await other.login(username);
        const path = `/api/user/sessions/${tokens.session_id}`;
        return other.request('DELETE', path, { token: body.access_token });
      },
    ],
    [
      'the end of all sessions by an administrator',
      async ({ id }) => asAdministrator('DELETE', `/api/users/${id}/sessions`),
    ],
    [
      'disabling the user',
      async ({ id }) => asAdministrator('PATCH', `/api/users/${id}`, { disabled: true }),
    ],
    ['deleting the user', async ({ id }) => asAdministrator('DELETE', `/api/users/${id}`)],
    [
      'a new password',
      async ({ username, password }) => {
        const { body } = await other.login(username);
        const change = { currentPassword: password, newPassword: 'granite clouds over the bay' };
        const options = { token: body.access_token, body: change };
        return other.request('PUT', '/api/user/password', options);
      },
    ],
    [
      'the revocation of its token',
      async ({ id, tokens }) => {
        const token = tokens.access_token;
        const tokenId = (await other.request<string>('GET', '/api/streams/token', { token })).body;
        const expiresAt = new Date(Date.now() + 900_000);
        const sessions = other.app.get(SessionsService);
        const revoked = { userId: id, sessionId: tokens.session_id, tokenId, expiresAt };
        await sessions.revokeToken(revoked, Origin.system, Deadline.after(2000));
      },
    ],
  ];
  it.each(ENDS)('is closed on its instance after %s on another instance', async (_, end) => {
    const user = await one.newUser();
    const stream = await open(one, 'guarded', user.tokens.access_token);
    expect(one.app.get(AccessWatch).count).toBe(1);

    await end(user);

    await stream.ended;
    expectNoListeners(one);
  });

  it('stays open when another session of the user ends, or when the user is changed', async () => {
    const user = await one.newUser();
    const { body: second } = await one.login(user.username);
    const lasting = await open(one, 'guarded', second.access_token);
    const ending = await open(one, 'guarded', user.tokens.access_token);
    let hasEnded = false;
    void lasting.ended.then(() => (hasEnded = true));

    const change = await asAdministrator('PATCH', `/api/users/${user.id}`, { roles: ['admin'] });
    expect(change.status).toBe(200);
    await other.logout(user.tokens.access_token);
    await ending.ended;

    expect(hasEnded).toBe(false);
    expect(one.app.get(AccessWatch).count).toBe(1);
    await other.logout(second.access_token);
    await lasting.ended;
  });

  const ACCOUNT_ENDS: [string, (account: TestAccount, token: string) => Promise<unknown>][] = [
    ['disabling it', async (account) => change(account, { disabled: true })],
    [
      'disabling and enabling it',
      async (account) => {
        await change(account, { disabled: true });
        await change(account, { disabled: false });
      },
    ],
    ['deleting it', async ({ id }) => asAdministrator('DELETE', `/api/service-accounts/${id}`)],
    ['a change that takes the audience', async (account) => change(account, { audiences: ['x'] })],
    [
      'the revocation of its token',
      async (account, token) => postForm(other, '/oauth/revoke', { token }, basic(account)),
    ],
  ];
  const change = async (account: TestAccount, body: object): Promise<void> =>
    changeAccount(other, administrator, account, body);
  it.each(ACCOUNT_ENDS)('of a service account is closed after %s', async (_, end) => {
    const account = await createAccount(other, administrator);
    const token = await tokenOf(other, account);
    const stream = await open(one, 'guarded', token);
    expect(one.app.get(AccessWatch).count).toBe(1);

    await end(account, token);

    await stream.ended;
    expectNoListeners(one);
  });

  it('costs Redis nothing after it was closed', async () => {
    const checks = [
      jest.spyOn(SessionReader.prototype, 'checkAndWatch'),
      jest.spyOn(ServiceAccountReader.prototype, 'checkAndWatch'),
    ];
    const counts = (): number[] => checks.map(({ mock }) => mock.calls.length);
    const user = await one.newUser();
    const account = await createAccount(other, administrator);
    const streams = [
      await open(one, 'guarded', user.tokens.access_token),
      await open(one, 'guarded', await tokenOf(other, account)),
    ];
    await other.logout(user.tokens.access_token);
    await change(account, { disabled: true });
    await Promise.all(streams.map(async ({ ended }) => ended));
    const before = counts();
    expect(Math.min(...before)).toBeGreaterThan(0);

    // Takes longer than many checks.
    await one.newUser();

    expect(counts()).toEqual(before);
    checks.forEach((check) => check.mockRestore());
  });

  it('of a service account stays open after other changes, and when another token is revoked', async () => {
    const account = await createAccount(other, administrator, { permissions: ['users:read'] });
    const lasting = await open(one, 'guarded', await tokenOf(other, account));
    const revoked = await tokenOf(other, account);
    const ending = await open(one, 'guarded', revoked);
    let hasEnded = false;
    void lasting.ended.then(() => (hasEnded = true));

    await change(account, { permissions: [], audiences: ['keyslot', 'orders'] });
    const path = `/api/service-accounts/${account.id}/secrets`;
    expect((await asAdministrator('POST', path)).status).toBe(201);
    await postForm(other, '/oauth/revoke', { token: revoked }, basic(account));
    await ending.ended;

    expect(hasEnded).toBe(false);
    expect(one.app.get(AccessWatch).count).toBe(1);
    await change(account, { disabled: true });
    await lasting.ended;
  });

  it('of a service account is closed when its token expires, and that of a user stays open', async () => {
    const api = await start({ ...variables, ACCESS_TOKEN_TTL: '2s' });
    const account = await createAccount(one, administrator);
    const { tokens } = await api.newUser();
    const ofUser = await open(api, 'guarded', tokens.access_token);
    let hasEnded = false;
    void ofUser.ended.then(() => (hasEnded = true));
    const earlier = await open(api, 'guarded', await tokenOf(api, account));
    const later = await open(one, 'guarded', await tokenOf(one, account));
    let hasLaterEnded = false;
    void later.ended.then(() => (hasLaterEnded = true));

    await earlier.ended;

    expect((await api.ownUser(tokens.access_token)).status).toBe(401);
    expect([hasEnded, hasLaterEnded]).toEqual([false, false]);
    await Promise.all([later.hangUp(), ofUser.hangUp()]);
    await api.close();
  });

  it('of a service account is not looked at until something about it is due', async () => {
    const token = await tokenOf(one, await createAccount(one, administrator));
    const stream = await open(one, 'guarded', token);
    const principal = one.app.get(AccessTokenValidator).recall(token) as ClientPrincipal;
    const watch = one.app.get(AccessWatch);
    let looks = 0;
    const looked = <T>(value: T): T => {
      looks += 1;
      return value;
    };
    const observed: ClientPrincipal = {
      ...principal,
      get kind() {
        return looked(principal.kind);
      },
      get expiresAtSeconds() {
        return looked(principal.expiresAtSeconds);
      },
    };
    const ends: AccessEnd[] = [];
    const subscriptions = Array.from({ length: 10_000 }, () =>
      watch.endOf(observed).subscribe((why) => ends.push(why)),
    );
    expect(looks).toBeGreaterThan(10_000);
    looks = 0;

    // Several ticks pass before it.
    const expiresAtSeconds = Math.floor(Date.now() / 1000) + 2;
    const end = await firstValueFrom(watch.endOf({ ...principal, expiresAtSeconds }));

    expect(end).toBe('ended');
    expect({ looks, ends }).toEqual({ looks: 0, ends: [] });
    subscriptions.forEach((subscription) => subscription.unsubscribe());
    await stream.hangUp();
    await eventually('no listener is left', 5000, () => Promise.resolve(watch.count === 0));
  });

  it('has its listener removed when the client disconnects', async () => {
    const { tokens } = await one.newUser();
    const streams = await Promise.all(
      Array.from({ length: 20 }, async () => open(one, 'guarded', tokens.access_token)),
    );
    expect(one.app.get(AccessWatch).count).toBe(1);

    await Promise.all(streams.map(async ({ hangUp }) => hangUp()));

    await eventually('no listener is left', 5000, () =>
      Promise.resolve(one.app.get(AccessWatch).count === 0),
    );
    expectNoListeners(one);
  });

  it('is closed when its session expires', async () => {
    const api = await start({ REFRESH_TOKEN_TTL: '2s', ACCESS_TOKEN_TTL: '2s' });
    const { tokens } = await api.newUser();
    const stream = await open(api, 'guarded', tokens.access_token);

    await stream.ended;

    expectNoListeners(api);
    await api.close();
  });

  it('of any kind does not prevent an instance from stopping', async () => {
    const api = await start({});
    const { tokens } = await api.newUser();
    const server = api.app.getHttpServer();
    server.on('upgrade', (_: unknown, socket: NodeJS.WritableStream) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n'),
    );
    const upgraded = connect(Number(new URL(api.url).port), '127.0.0.1');
    upgraded.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n');
    await once(upgraded, 'data');
    const gone = once(upgraded, 'close');
    const events = [await open(api, 'guarded', tokens.access_token), await open(api, 'public')];
    const raw = await open(api, 'raw');
    const cutOff = expect(raw.ended).rejects.toThrow();

    await api.close();

    // A regular close, so that clients reconnect without an error.
    await Promise.all(events.map(async ({ ended }) => ended));
    await Promise.all([cutOff, gone]);
    expectNoListeners(api);
  }, 10_000);
});
