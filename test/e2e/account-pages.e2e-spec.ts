import { chromium, type Browser, type Page } from 'playwright-core';

import { MailServer, tokenIn } from '../support/mail-server.js';
import {
  mailVariables,
  NEW_PASSWORD,
  newAddress,
  requestReset,
  userWithMail,
} from '../support/mails.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('the pages of the links in mails', () => {
  let server: MailServer;
  let api: TestApp;
  let browser: Browser;
  let page: Page;
  /** Errors in the console of the browser, such as violations of the content security policy. */
  let complaints: string[];
  beforeAll(async () => {
    server = await MailServer.start();
    api = await startTestApp(mailVariables(server));
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM']!,
      args: ['--no-sandbox', '--disable-gpu'],
    });
  });
  afterAll(async () => {
    await browser.close();
    await api.close();
    await server.stop();
  });
  beforeEach(async () => {
    complaints = [];
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('status of 400')) {
        complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterEach(async () => {
    expect(complaints).toEqual([]);
    await page.close();
  });

  const statusText = async (text: string): Promise<void> =>
    page.locator('[role=status]', { hasText: text }).waitFor();

  it('set a new password, and remove the token from the address', async () => {
    const user = await userWithMail(api, server);
    const count = server.mailsTo(user.email).length + 1;
    await requestReset(api, { username: user.username });
    const token = tokenIn(await server.mailTo(user.email, count));
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));

    await page.goto(`${api.url}/account/reset-password#token=${token}`);
    expect(page.url()).toBe(`${api.url}/account/reset-password`);
    expect(await page.locator('form').innerText()).toContain('At least 15 characters.');
    await page.locator('input').fill('short');
    await page.locator('button').click();
    await statusText('The new password is refused: Too short');
    await page.locator('input').fill(NEW_PASSWORD);
    await page.locator('button').click();
    await statusText('The password was set');

    expect(requested.join()).not.toContain(token.split('.')[1]);
    expect((await api.login(user.username, NEW_PASSWORD)).status).toBe(200);
    const cookies = await page.context().cookies();
    expect(cookies.map(({ name }) => name)).toEqual(['keyslot-device']);
  });

  it('confirm an address only when the user says so', async () => {
    const user = await api.newUser();
    const { access_token: token } = user.tokens;
    const email = newAddress();
    await api.request('PATCH', '/api/user', { token, body: { email } });
    await api.request('POST', '/api/user/email-verification', { token });
    const link = tokenIn(await server.mailTo(email));

    await page.goto(`${api.url}/account/verify-email#token=${link}`);
    await page.locator('button').waitFor();
    expect((await api.ownUser(token)).body).toMatchObject({ emailVerified: false });
    await page.locator('button').click();
    await statusText('The e-mail address was confirmed');

    expect((await api.ownUser(token)).body).toMatchObject({ email, emailVerified: true });
  });

  it('say what is wrong with a link', async () => {
    await page.goto(`${api.url}/account/verify-email`);
    await statusText('This page needs the link in the mail');
    expect(await page.locator('button').isVisible()).toBe(false);

    await page.goto(`${api.url}/account/reset-password#token=x`);
    await page.locator('input').fill(NEW_PASSWORD);
    await page.locator('button').click();
    await statusText('This link is not valid any more');
  });

  it.each(['reset-password', 'verify-email'])(
    'are strict and in the language of the browser: %s',
    async (name) => {
      const path = `/account/${name}`;
      const { status, headers, body } = await api.request<string>('GET', path, {
        headers: { 'accept-language': 'zh-CN' },
      });

      expect(status).toBe(200);
      expect(body).toContain('<html lang="zh">');
      expect(body).not.toMatch(/undefined|https?:/);
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'sha256-\S+'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      );
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('vary')).toContain('Accept-Language');
    },
  );
});

describe('the pages of the links in mails, of an application with a global prefix', () => {
  it.each([
    ['reset-password', 'password-resets/confirm', { newPassword: NEW_PASSWORD }],
    ['verify-email', 'email-verifications', {}],
  ])('call the API below it: %s', async (name, route, fields) => {
    const api = await startTestApp({}, { configure: (app) => app.setGlobalPrefix('/v1/') });
    try {
      const { body: page } = await api.request<string>('GET', `/account/${name}`);
      const [, base] = /data-api="([^"]+)"/.exec(page) ?? [];
      const { pathname } = new URL(`${base}/${route}`, `${api.url}/account/${name}`);

      expect(pathname).toBe(`/v1/api/${route}`);
      expect(
        await api.request('POST', pathname, { body: { token: 'x', ...fields } }),
      ).toMatchObject({ status: 400, body: { code: 'invalid-one-time-token' } });
    } finally {
      await api.close();
    }
  });
});
