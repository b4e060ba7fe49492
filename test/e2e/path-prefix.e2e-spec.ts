import { ConsoleBrowser } from '../support/console-browser.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD, HttpClient } from '../support/http-client.js';
import { startPrefixProxy, type PrefixProxy } from '../support/prefix-proxy.js';
import { SwaggerUi } from '../support/swagger-ui.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PUBLIC_URL = 'https://example.com/keyslot';

interface ApiDocument {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
}

/** An nginx that removes the prefix `/keyslot`, so that the API does not see it. */
describe.each([
  ['without PUBLIC_URL', {}],
  ['with PUBLIC_URL', { PUBLIC_URL: `${PUBLIC_URL}/` }],
])('behind a path prefix %s', (_, variables: { PUBLIC_URL?: string }) => {
  let api: TestApp;
  let proxy: PrefixProxy;
  let client: HttpClient;
  beforeAll(async () => {
    api = await startTestApp({ ...WITH_ADMINISTRATOR, ...variables });
    proxy = await startPrefixProxy('/keyslot', api.url);
    client = new HttpClient(proxy.url);
  });
  afterAll(async () => {
    await proxy.close();
    await api.close();
  });

  const isNamed = variables.PUBLIC_URL !== undefined;
  const seenPath = (path: string): string => (isNamed ? `/keyslot${path}` : path);

  it('Swagger UI calls the API below the prefix without configuration', async () => {
    // The root redirects to it.
    const ui = await SwaggerUi.open(proxy.url, { docs: '/' });

    expect(new URL(ui.page.url()).pathname).toBe('/keyslot/docs');
    expect((await ui.execute('post', '/api/users')).status).toBe('201');
    expect((await ui.execute('post', '/api/login')).status).toBe('200');
    expect((await ui.execute('get', '/api/user')).status).toBe('200');
    expect(ui.complaints).toEqual([]);
    await ui.close();
  });

  it('the console works below the prefix, keeps its session, and receives events', async () => {
    const browser = await ConsoleBrowser.start();
    await browser.open(proxy.url);
    await browser.signIn(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME, GOOD_PASSWORD);
    await browser.show('/changes');
    await browser.page.getByRole('status').getByText('Live').waitFor();
    await browser.page.reload();
    await browser.page.getByRole('status').getByText('Live').waitFor();
    expect(browser.complaints).toEqual([]);
    await browser.stop();
  });

  it('the OpenAPI document contains the server URL of the API', async () => {
    const { body } = await client.request<ApiDocument>('GET', '/docs-json');
    const [{ url } = { url: '' }] = body.servers;

    expect(url).toBe(isNamed ? PUBLIC_URL : '.');
    // OpenAPI 3.1 section 4.6: relative to the URL of the document.
    const server = new URL(url, `${proxy.url}/docs-json`).href.replace(/\/$/, '');
    expect(server).toBe(isNamed ? PUBLIC_URL : proxy.url);
    expect(JSON.stringify(body.paths['/api/user']!['get']!.responses['401'])).toContain(
      `"type":"${seenPath('/problems/missing-token')}"`,
    );
  });

  it('links between the problem pages lead to existing pages', async () => {
    const hrefsOf = (page: string): string[] =>
      Array.from(page.matchAll(/href="([^"]+)"/g), ([, href]) => href!);
    const follow = async (from: string): Promise<string[]> => {
      const { body } = await client.request<string>('GET', from);
      return hrefsOf(body).map((href) => new URL(href, `${proxy.url}${from}`).href);
    };

    expect(await follow('/problems')).toContain(`${proxy.url}/problems/not-found`);
    expect(await follow('/problems/not-found')).toEqual([`${proxy.url}/problems`]);
  });

  it.each([
    ['a problem of a route', 'GET', '/api/user', 'missing-token'],
    ['a problem of the router', 'GET', '/api/%zz', 'malformed-request'],
    ['an unknown URL', 'GET', '/nothing', 'not-found'],
  ])(
    'type and instance contain the public path when PUBLIC_URL is set: %s',
    async (_, method, path, code) => {
      const { body } = await api.request(method, path);

      expect(body).toMatchObject({ type: seenPath(`/problems/${code}`), instance: seenPath(path) });
    },
  );

  it('type, instance and Location are also correct in responses to invalid HTTP', async () => {
    const huge = { headers: { 'x-a': 'a'.repeat(17_000) } };
    const { body } = await api.request('GET', '/api/user', huge);
    const registered = await api.register(`ada-${isNamed}`);

    expect(body).toMatchObject({
      type: seenPath('/problems/headers-too-large'),
      instance: seenPath('/'),
    });
    expect(registered.headers.get('location')).toBe(
      seenPath(`/api/users/${String(registered.body['id'])}`),
    );
  });
});
