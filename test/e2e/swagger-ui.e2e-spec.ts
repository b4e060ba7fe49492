import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { createAccount } from '../support/service-accounts.js';
import { codesOf } from '../support/second-factors.js';
import { SwaggerUi } from '../support/swagger-ui.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** A person in front of Swagger UI, in a real browser, from registration to reading their own user. */
describe('Swagger UI', () => {
  let api: TestApp;
  let ui: SwaggerUi;

  beforeAll(async () => {
    api = await startTestApp(WITH_ADMINISTRATOR);
    ui = await SwaggerUi.open(api.url);
    await register();
  });
  afterEach(async () => ui.restore());
  afterAll(async () => {
    await ui.close();
    await api.close();
  });

  /** The example user of the page. Each load of the page has another one. */
  const register = async (): Promise<void> => {
    expect((await ui.execute('post', '/api/users')).status).toBe('201');
  };
  const logIn = async (): Promise<Record<string, unknown>> => {
    const login = await ui.execute('post', '/api/login');
    expect(login.status).toBe('200');
    return login.body;
  };

  it('reads the own user with Execute alone, without copying a token', async () => {
    expect((await ui.execute('get', '/api/user')).status).toBe('401');

    await logIn();

    expect(await ui.execute('get', '/api/user')).toMatchObject({
      status: '200',
      body: { username: expect.stringMatching(/^ada-\w+$/), displayName: 'Ada Lovelace' },
    });
    expect(await ui.execute('patch', '/api/user')).toMatchObject({
      status: '200',
      body: { displayName: 'Countess of Lovelace' },
    });
  });

  it.each([
    ['Log out', 'post', '/api/logout'],
    ['Delete your own user', 'delete', '/api/user'],
  ])(
    'sends no token any more after “%s”, and the next login authorizes again',
    async (_, method, path) => {
      await logIn();
      expect(await ui.isAuthorized()).toBe(true);

      expect((await ui.execute(method, path)).status).toBe('204');

      expect(await ui.isAuthorized()).toBe(false);
      expect((await ui.execute('get', '/api/user')).body).toMatchObject({ code: 'missing-token' });
      if (method === 'delete') {
        await register();
      }
      expect((await ui.execute('post', '/api/login')).status).toBe('200');
      expect((await ui.execute('get', '/api/user')).status).toBe('200');
    },
  );

  it('acts as a service account after “Get an access token as a service account”', async () => {
    const { body } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const account = await createAccount(api, body.access_token, { permissions: ['roles:read'] });
    const credentials = { client_id: account.id, client_secret: account.clientSecret };

    expect((await ui.execute('post', '/oauth/token', credentials)).status).toBe('200');

    expect((await ui.execute('get', '/api/roles')).status).toBe('200');
    expect((await ui.execute('get', '/api/user')).body).toMatchObject({ code: 'user-required' });
  });

  it('exchanges the newest refresh token repeatedly, and uses the new access token', async () => {
    const first = await logIn();

    const second = await ui.execute('post', '/api/refresh');
    const third = await ui.execute('post', '/api/refresh');

    expect([second.status, third.status]).toEqual(['200', '200']);
    expect(third.body['refresh_token']).not.toBe(second.body['refresh_token']);
    const sent = ui.page.waitForRequest((request) => request.url().endsWith('/api/user'));
    expect((await ui.execute('get', '/api/user')).status).toBe('200');
    expect((await sent).headers()['authorization']).toBe(
      `Bearer ${String(third.body['access_token'])}`,
    );
    expect(first['access_token']).not.toBe(third.body['access_token']);
  });

  it('drops a token that is refused because its session was ended elsewhere', async () => {
    const { access_token: token } = await logIn();
    await api.logout(String(token));

    expect((await ui.execute('get', '/api/user')).body).toMatchObject({ code: 'invalid-token' });

    expect(await ui.isAuthorized()).toBe(false);
  });

  it('keeps its token when a logout was not confirmed', async () => {
    await logIn();
    const unavailable = { status: 503, json: { code: 'not-confirmed' } };
    await ui.page.route('**/api/logout', async (route) => route.fulfill(unavailable));

    expect((await ui.execute('post', '/api/logout')).status).toBe('503');

    expect(await ui.isAuthorized()).toBe(true);
  });

  it('stores no refresh token in the browser', async () => {
    const { refresh_token: token } = await logIn();

    const stored = await ui.page.evaluate('JSON.stringify([localStorage, sessionStorage])');

    expect(stored).not.toContain(String(token));
  });

  it('explains in the dialog what to paste, and accepts a pasted token', async () => {
    const { tokens, username } = await api.newUser();

    expect(await ui.authorizeDialog()).toMatch(/Execute Log in.*paste the access_token/s);
    await ui.authorize(tokens.access_token);

    expect((await ui.execute('get', '/api/user')).body).toMatchObject({ username });
  });

  it('shows the purpose of each route, in groups', async () => {
    const groups = await ui.page.locator('.opblock-tag').allInnerTexts();

    expect(groups.map((text) => text.split('\n')[0])).toEqual([
      'Users',
      'Login',
      'Own user',
      'Own sessions',
      'Own factors',
      'Administration',
      'Cluster',
      'Service accounts',
      'OAuth',
      'Forward auth',
      'Keys',
      'Health',
    ]);
  });

  it('has an example of registration that works on each visit', async () => {
    for (const visit of [1, 2]) {
      await ui.startOver();
      expect([visit, (await ui.execute('post', '/api/users')).status]).toEqual([visit, '201']);
    }
  });

  it('runs at /docs/ too', async () => {
    await ui.startOver('/docs/');

    await register();
    await logIn();

    expect((await ui.execute('get', '/api/user')).status).toBe('200');
  });

  it('runs under its content security policy without violations (88)', async () => {
    const { headers } = await api.request('GET', '/docs');
    await ui.startOver();
    await register();
    await logIn();

    expect(headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(headers.get('content-security-policy')).not.toContain('unsafe-eval');
    expect(ui.complaints).toEqual([]);
  });

  it('fits the screen of a phone, with the purpose of each group in readable lines', async () => {
    const phone = await SwaggerUi.open(api.url, { width: 390, isPhone: true });
    const { page } = phone;
    const pageWidth = async (): Promise<unknown> =>
      page.evaluate('document.documentElement.scrollWidth');
    try {
      const boxes = await page.locator('.opblock-tag small').all();
      expect(boxes.length).toBeGreaterThan(5);
      for (const box of boxes) {
        expect((await box.boundingBox())!.width).toBeGreaterThan(250);
      }
      expect(await pageWidth()).toBe(390);

      await page.locator('#operations-Login-login .opblock-summary-control').click();
      await page.locator('.responses-table').waitFor();
      expect(await pageWidth()).toBe(390);

      await page.goto(`${api.url}/problems`);
      expect(await pageWidth()).toBe(390);
    } finally {
      await phone.close();
    }
  });

  it('is the target of the redirect from /', async () => {
    await ui.page.goto(`${api.url}/`);

    expect(new URL(ui.page.url()).pathname).toBe('/docs');
  });

  // The last test, because the user of the page then has a second factor.
  it('adds an authenticator application, and logs in with it in two steps', async () => {
    await ui.startOver();
    await register();
    await logIn();
    const { status, body } = await ui.execute('post', '/api/user/factors/totp');
    expect(status).toBe('201');
    const fill = async (path: string, step: 0 | 1): Promise<void> =>
      ui.editBody('post', path, (text) =>
        text.replace('287082', codesOf(String(body['secret']))[step]),
      );

    await fill('/api/user/factors/totp/confirm', 0);
    expect((await ui.execute('post', '/api/user/factors/totp/confirm')).status).toBe('204');
    expect((await ui.execute('post', '/api/login')).body).toMatchObject({
      code: 'second-factor-required',
    });
    await fill('/api/login/second-factor', 1);
    expect((await ui.execute('post', '/api/login/second-factor')).status).toBe('200');

    expect((await ui.execute('get', '/api/user/factors')).body).toMatchObject({
      items: [{ id: body['id'], type: 'totp' }],
    });
  });
});
