import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

import { startTestApp, type TestApp } from '../support/test-app.js';

/** A person in front of Swagger UI, in a real browser, from registration to reading their own user. */
describe('Swagger UI', () => {
  let api: TestApp;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    api = await startTestApp();
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM']!,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ],
    });
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('401')) {
        complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${api.url}/docs`);
  });
  afterAll(async () => {
    await browser.close();
    await api.close();
  });

  const operation = (method: string, path: string): Locator =>
    page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) });

  /** Opens a route, executes its example as it stands, and returns the live answer. */
  const execute = async (
    method: string,
    path: string,
  ): Promise<{ status: string; body: Record<string, unknown> }> => {
    const block = operation(method, path);
    if (!(await block.getAttribute('class'))?.includes('is-open')) {
      await block.locator('.opblock-summary-control').click();
    }
    const answered = page.waitForResponse(
      (response) =>
        new URL(response.url()).pathname === path &&
        response.request().method() === method.toUpperCase(),
    );
    await block.locator('button.execute').click();
    const sent = String((await answered).status());
    const answer = block.locator('.live-responses-table');
    // The answer of an earlier execution stays on the page until this one is shown.
    await answer.locator('tbody .response-col_status', { hasText: sent }).first().waitFor();
    const status = await answer.locator('tbody .response-col_status').first().innerText();
    const body = await answer.locator('tbody .highlight-code code').first().innerText();
    return { status: status.trim(), body: JSON.parse(body) as Record<string, unknown> };
  };

  it('leads from registration over login and Authorize to one’s own user', async () => {
    expect(await execute('post', '/api/users')).toMatchObject({
      status: '201',
      body: { username: 'ada' },
    });

    expect((await execute('get', '/api/user')).status).toBe('401');

    const login = await execute('post', '/api/login');
    expect(login.status).toBe('200');

    await page.locator('.auth-wrapper button.authorize').first().click();
    await page.locator('.dialog-ux input').fill(String(login.body['access_token']));
    await page.locator('.dialog-ux button.authorize').click();
    await page.locator('.dialog-ux button.btn-done').click();

    expect(await execute('get', '/api/user')).toMatchObject({
      status: '200',
      body: { username: 'ada', displayName: 'Ada Lovelace' },
    });
    expect(await execute('patch', '/api/user')).toMatchObject({
      status: '200',
      body: { displayName: 'Countess of Lovelace' },
    });
  });

  it('runs under its content security policy without a complaint (88)', async () => {
    const { headers } = await api.request('GET', '/docs');

    expect(headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(headers.get('content-security-policy')).not.toContain('unsafe-eval');
    expect(complaints).toEqual([]);
  });

  it('shows what each route is for, grouped', async () => {
    const groups = await page.locator('.opblock-tag').allInnerTexts();

    expect(groups.map((text) => text.split('\n')[0])).toEqual([
      'Users',
      'Login',
      'Own user',
      'Own sessions',
      'Administration',
      'Keys',
      'Health',
    ]);
    if (process.env['SCREENSHOT']) {
      await page.screenshot({ path: process.env['SCREENSHOT'], fullPage: true });
    }
  });
});
