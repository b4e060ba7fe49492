import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { gzipSync } from 'node:zlib';
import type { Route } from 'playwright-core';

import { Announcer } from '../../src/near-cache/announcer.js';
import { NotConfirmedError } from '../../src/redis-cluster/index.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD, type Tokens } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const MARKUP = '<img src=x onerror="window.injected=1">';
/** RFC 5321 section 4.1.2 allows this. */
const ADDRESS = '"<svg/onload=window.injected=1>"@example.com';
const MAX_PAGE_BYTES = 150_000;
const ADMINISTRATOR = WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME;

/** The console in a real browser. */
describe('the console', () => {
  let api: TestApp;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    api = await startTestApp(WITH_ADMINISTRATOR);
    browser = await ConsoleBrowser.start();
  });
  afterAll(async () => {
    await browser.stop();
    await api.close();
  });

  it('runs no script from a name, a user agent, a mail address or an event', async () => {
    const user = await api.newUser();
    const hostile = { 'user-agent': MARKUP, 'accept-language': MARKUP };
    await api.request('POST', '/api/login', {
      body: { username: user.username, password: GOOD_PASSWORD },
      headers: hostile,
    });
    const { body: admin } = await api.login(ADMINISTRATOR);
    const asAdmin = async (method: string, path: string, body: object): Promise<number> =>
      (await api.request(method, path, { token: admin.access_token, body })).status;
    const names = { displayName: MARKUP, email: ADDRESS };
    expect(await asAdmin('PATCH', `/api/users/${user.id}`, names)).toBe(200);
    expect(await asAdmin('POST', '/api/service-accounts', { name: MARKUP })).toBe(201);
    await browser.open(api.url);
    await browser.signIn(ADMINISTRATOR, GOOD_PASSWORD);

    for (const path of ['/users', `/users/${user.id}`, '/audit', '/service-accounts']) {
      await browser.show(path);
      await browser.page.locator('table').first().waitFor();
    }
    await browser.page.getByText(MARKUP).first().waitFor();
    await browser.show('/users');
    await browser.page.getByText(ADDRESS).first().waitFor();
    await browser.show(`/users/${user.id}`);
    await browser.page.getByRole('cell', { name: MARKUP }).first().waitFor();

    expect(await browser.page.evaluate('window.injected')).toBeUndefined();
    expect(browser.complaints).toEqual([]);
  });

  it('loads less than 150 KB, compressed, and cannot be framed', async () => {
    const load = async (path: string): Promise<Response> =>
      fetch(new URL(path, `${api.url}/console/`));
    const document = await load('');
    const html = await document.text();
    const assets = [...html.matchAll(/(?:src|href)="(\.\/assets\/[^"]+)"/g)].map(
      ([, path]) => path!,
    );
    expect(assets.length).toBeGreaterThan(2);
    const bytes = await Promise.all(
      assets.map(async (path) => gzipSync(await (await load(path)).arrayBuffer()).length),
    );
    const all = gzipSync(html).length + bytes.reduce((sum, size) => sum + size, 0);
    expect(all).toBeLessThan(MAX_PAGE_BYTES);
    expect(document.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(document.headers.get('content-security-policy')).not.toContain('unsafe');
  });

  it('keeps its session and the language over a reload, and no token where scripts can read it (86)', async () => {
    const { username } = await api.newUser();
    await browser.open(api.url);
    await browser.signIn(username, GOOD_PASSWORD);
    const readable = async () =>
      browser.page.evaluate<string>(
        'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])',
      );
    const reloaded = async (heading: string) => {
      await browser.page.reload();
      await browser.page.getByRole('heading', { level: 1, name: heading }).waitFor();
    };

    await reloaded('Your account');
    expect(await readable()).toBe(`[{},{},"","${api.url}/console/"]`);
    await browser.page.getByRole('button', { name: '中文' }).click();
    await reloaded('我的账户');
    const kept = '{"keyslot-console-language":"zh"}';
    expect(await readable()).toBe(`[${kept},{},"","${api.url}/console/"]`);
    await browser.page.evaluate("localStorage.setItem('keyslot-console-language', 'toString')");
    await reloaded('Your account');
    const cookie = (await browser.context.cookies()).find(
      ({ name }) => name === '__Host-keyslot-console',
    );
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
    const other = await browser.newTab();
    // A browser may refuse storage.
    await other.addInitScript(
      "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })",
    );
    await other.goto(`${api.url}/console`);
    await other.getByRole('button', { name: '中文' }).click();
    await other.getByRole('button', { name: '退出' }).click();
    await other.locator('[name=password]').waitFor();
    await browser.page.getByText('Your session has ended').waitFor();
    const { status } = await api.request('POST', '/api/refresh', {
      body: { refresh_token: cookie!.value },
    });
    expect(status).toBe(401);
    expect(browser.complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });

  it('says that it needs HTTPS, unless it is on the same computer', async () => {
    await browser.open(api.url.replace('127.0.0.1', '0.0.0.0'));

    await browser.page.getByText('The console needs HTTPS.').waitFor();
    expect(await browser.page.locator('input').count()).toBe(0);
  });

  it('does nothing in the session of somebody else who signs in with another tab (86)', async () => {
    const [first, second] = [await api.newUser(), await api.newUser()];
    await browser.open(api.url);
    const other = await browser.newTab();
    await other.goto(`${api.url}/console`);
    await browser.signIn(first.username, GOOD_PASSWORD);
    await other.locator('[name=username]').fill(second.username);
    await other.locator('[name=password]').fill(GOOD_PASSWORD);
    await other.keyboard.press('Enter');
    await other.locator('header nav a').first().waitFor();

    // The sign-in has ended the session of the first tab.
    await browser.page.bringToFront();
    await browser.page.locator('[name=displayName]').fill('of the first user');
    await browser.page.getByRole('button', { name: 'Save' }).click();

    await browser.page.getByText(second.username).waitFor();
    const { body: admin } = await api.login(ADMINISTRATOR);
    const { body } = await api.request('GET', `/api/users/${second.id}`, {
      token: admin.access_token,
    });
    expect(body).toMatchObject({ displayName: null });
  });

  it('shows nothing of the user before, also when an answer comes after the sign-out (86)', async () => {
    const [first, second] = [await api.newUser(), await api.newUser()];
    await browser.open(api.url);
    const { page } = browser;
    await browser.signIn(first.username, GOOD_PASSWORD);
    const held = async (): Promise<Route> =>
      new Promise((resolve) => void page.route('**/api/user', resolve, { times: 1 }));
    await page.getByText(first.username).waitFor();
    const change = held();
    await page.locator('[name=displayName]').fill('of the first user');
    await page.getByRole('button', { name: 'Save' }).click();
    const response = await (await change).fetch();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('[name=password]').waitFor();
    const answered = page.waitForEvent('requestfinished', (call) => call.method() === 'PATCH');
    await (await change).fulfill({ response });
    await answered;

    const read = held();
    await browser.signIn(second.username, GOOD_PASSWORD);
    await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
    await read;
    expect(await page.locator('[name=displayName]').count()).toBe(0);
    await (await read).continue();
    await page.getByText(second.username).waitFor();
  });

  it('stops showing what the user may not see any more, and asks for no other route by a link', async () => {
    const user = await api.newUser();
    const { body: admin } = await api.login(ADMINISTRATOR);
    const setRoles = async (...roles: string[]) =>
      api.request('PATCH', `/api/users/${user.id}`, { token: admin.access_token, body: { roles } });
    await setRoles('admin');
    await browser.open(api.url);
    await browser.signIn(user.username, GOOD_PASSWORD);
    const asked: string[] = [];
    browser.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    for (const path of ['/users/..', '/users/.', '/service-accounts/..']) {
      await browser.show(path);
      await browser.page.locator('table').first().waitFor();
    }
    expect(asked).not.toContain('/api/');
    expect(asked).not.toContain('/api/users/');

    await browser.show('/cluster');
    await browser.page.getByRole('status').getByText('Live').waitFor();
    await setRoles();
    await browser.page.getByText('Your roles do not allow this page.').waitFor();
  });

  it('ends the session that another login replaces, and no other one (86)', async () => {
    const [first, second] = [await api.newUser(), await api.newUser()];
    const begin = async (tokens: Tokens, cookie = '') => {
      const { status, headers } = await api.request('POST', '/console/session', {
        body: { refresh_token: tokens.refresh_token },
        headers: { 'sec-fetch-site': 'same-origin', cookie },
      });
      return { status, cookie: (headers.get('set-cookie') ?? '').split(';')[0]! };
    };
    const statusOf = async ({ access_token }: Tokens) => (await api.ownUser(access_token)).status;
    const former = await begin(first.tokens);

    // The proof of a reauthentication is a new token of the same session.
    const raised = await api.request<Tokens>('POST', '/api/user/reauthentication', {
      token: first.tokens.access_token,
      body: { password: GOOD_PASSWORD },
    });
    const proved = await begin(raised.body, former.cookie);
    expect(proved.status).toBe(200);
    expect(await statusOf(raised.body)).toBe(200);

    // A token that is not accepted replaces nothing.
    const unknown = { ...first.tokens, refresh_token: 'unknown' };
    expect(await begin(unknown, proved.cookie)).toEqual({ status: 401, cookie: '' });
    expect(await statusOf(raised.body)).toBe(200);

    const next = await begin(second.tokens, proved.cookie);
    expect(next.status).toBe(200);
    expect(await statusOf(raised.body)).toBe(401);
    expect(await statusOf(second.tokens)).toBe(200);

    // The former session may have ended already, or be of nobody.
    for (const cookie of [former.cookie, '__Host-keyslot-console=forged']) {
      const { body: tokens } = await api.login(second.username);
      expect((await begin(tokens, cookie)).status).toBe(200);
      expect(await statusOf(tokens)).toBe(200);
    }
    expect(await statusOf(second.tokens)).toBe(200);

    // No holder acknowledges the end of the former session.
    const announcer = api.app.get(Announcer);
    announcer.announce = async () => Promise.reject(new NotConfirmedError('no reply'));
    const { body: last } = await api.login(first.username);
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const kept = await begin(last, next.cookie);
    const [[warning]] = warnings.mock.calls as [[object]];
    warnings.mockRestore();
    Reflect.deleteProperty(announcer, 'announce');
    expect(kept.status).toBe(200);
    const { session_id: sessionId } = second.tokens;
    expect(warning).toMatchObject({ userId: second.id, sessionId });
    expect((await begin((await api.login(first.username)).body, kept.cookie)).status).toBe(200);
    expect(await statusOf(last)).toBe(401);
  });

  it('its routes refuse other sites, forms and tokens that are spent (86)', async () => {
    const { username } = await api.newUser();
    const { body } = await api.login(username);
    const begin = async (tokens: Tokens, headers: Record<string, string>) =>
      api.request('POST', '/console/session', {
        body: { refresh_token: tokens.refresh_token },
        headers,
      });

    expect((await begin(body, {})).status).toBe(403);
    expect((await begin(body, { 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await begin(body, { origin: 'https://evil.example' })).status).toBe(403);
    const accepted = await begin(body, { origin: api.url });
    expect(accepted.status).toBe(200);
    expect(accepted.body).not.toHaveProperty('refresh_token');
    const [cookie = ''] = accepted.headers.get('set-cookie')!.split(';');
    const withCookie = { 'sec-fetch-site': 'same-origin', cookie };
    const form = { ...withCookie, 'content-type': 'text/plain' };
    expect(
      (await api.request('POST', '/console/session/refresh', { headers: form, body: {} })).status,
    ).toBe(415);
    const foreign = { ...withCookie, 'sec-fetch-site': 'cross-site' };
    expect((await api.request('DELETE', '/console/session', { headers: foreign })).status).toBe(
      403,
    );
    const refreshed = await api.request('POST', '/console/session/refresh', {
      headers: withCookie,
      body: {},
    });
    expect(refreshed.status).toBe(200);
    // The cookie authenticates nobody elsewhere.
    expect((await api.request('GET', '/api/user', { headers: { cookie } })).status).toBe(401);
  });
});
