import { SwaggerUi } from '../support/swagger-ui.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** A person in front of Swagger UI, in a real browser, from registration to reading their own user. */
describe('Swagger UI', () => {
  let api: TestApp;
  let ui: SwaggerUi;

  beforeAll(async () => {
    api = await startTestApp();
    ui = await SwaggerUi.open(api.url);
  });
  afterAll(async () => {
    await ui.close();
    await api.close();
  });

  it('leads from registration over login and Authorize to one’s own user', async () => {
    expect(await ui.execute('post', '/api/users')).toMatchObject({
      status: '201',
      body: { username: 'ada' },
    });

    expect((await ui.execute('get', '/api/user')).status).toBe('401');

    const login = await ui.execute('post', '/api/login');
    expect(login.status).toBe('200');

    await ui.authorize(String(login.body['access_token']));

    expect(await ui.execute('get', '/api/user')).toMatchObject({
      status: '200',
      body: { username: 'ada', displayName: 'Ada Lovelace' },
    });
    expect(await ui.execute('patch', '/api/user')).toMatchObject({
      status: '200',
      body: { displayName: 'Countess of Lovelace' },
    });
  });

  it('runs under its content security policy without a complaint (88)', async () => {
    const { headers } = await api.request('GET', '/docs');

    expect(headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(headers.get('content-security-policy')).not.toContain('unsafe-eval');
    expect(ui.complaints).toEqual([]);
  });

  it('shows what each route is for, grouped', async () => {
    const groups = await ui.page.locator('.opblock-tag').allInnerTexts();

    expect(groups.map((text) => text.split('\n')[0])).toEqual([
      'Users',
      'Login',
      'Own user',
      'Own sessions',
      'Administration',
      'Keys',
      'Health',
    ]);
  });
});
