import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

import { GOOD_PASSWORD, type Tokens } from '../support/http-client.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const MARKUP = '<img src=x onerror="window.injected=1">';

/** The console in a real browser. */
describe('the console', () => {
  let api: TestApp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    api = await startTestApp(WITH_ADMINISTRATOR);
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM']!,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
    });
  });
  afterAll(async () => {
    await browser.close();
    await api.close();
  });
  const open = async (locale: string): Promise<void> => {
    complaints.length = 0;
    context = await browser.newContext({ locale, bypassCSP: false });
    page = await context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${api.url}/console`);
  };
  afterEach(async () => context.close());
  /** With the keyboard only: the first field has no focus yet. */
  const signIn = async (name: string, password: string): Promise<void> => {
    await page.locator('[name=username]').focus();
    await page.keyboard.type(name);
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.locator('header nav a').first().waitFor();
  };
  const expectAccessible = async (): Promise<void> => {
    const found = await page.evaluate<string[]>(
      `(() => { const module = undefined; ${AXE}; return axe.run().then(({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => id + ': ' + nodes[0].html)); })()`,
    );
    expect(found).toEqual([]);
  };

  it.each([
    ['en-US', 'Users'],
    ['zh-CN', '用户'],
  ])('shows an administrator users, in %s, with no script from a name', async (locale, users) => {
    const user = await api.newUser();
    const changed = await api.request('PATCH', '/api/user', {
      token: user.tokens.access_token,
      body: { displayName: MARKUP },
    });
    expect(changed.status).toBe(200);
    await open(locale);
    await expectAccessible();

    await signIn(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME, GOOD_PASSWORD);
    await page.locator('table').first().waitFor();
    await expectAccessible();
    await page.getByRole('link', { name: users, exact: true }).click();
    await page.locator('[type=search]').fill(user.username);
    await page.getByRole('link', { name: user.username }).click();
    await page.getByText(MARKUP).waitFor();
    await expectAccessible();

    expect(await page.evaluate('window.injected')).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  it('keeps its session over a reload, and no token where scripts can read it (86)', async () => {
    const { username } = await api.newUser();
    await open('en-US');
    await signIn(username, GOOD_PASSWORD);

    await page.reload();
    await page.locator('header nav a').first().waitFor();

    const readable = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])',
    );
    expect(readable).toBe(`[{},{},"","${api.url}/console/"]`);
    const cookie = (await context.cookies()).find(({ name }) => name === '__Host-keyslot-console');
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('[name=password]').waitFor();
    const { status } = await api.request('POST', '/api/refresh', {
      body: { refresh_token: cookie!.value },
    });
    expect(status).toBe(401);
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
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
