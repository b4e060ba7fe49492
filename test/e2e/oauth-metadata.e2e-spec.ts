import type { Answer } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PATH = '/.well-known/oauth-authorization-server';
const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
const ALGORITHMS = ['ES256', 'PS256', 'RS256', 'EdDSA', 'Ed25519'];

function metadataOf(issuer: string, base = issuer): object {
  return {
    issuer,
    token_endpoint: `${base}/oauth/token`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_endpoint: `${base}/oauth/revoke`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: METHODS,
    token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    introspection_endpoint_auth_methods_supported: METHODS,
    introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    revocation_endpoint_auth_methods_supported: METHODS,
    revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
  };
}

describe('the metadata of the authorization server', () => {
  let api: TestApp | undefined;
  afterEach(async () => api?.close());

  const start = async (variables: Record<string, string>, prefix?: string): Promise<void> => {
    api = await startTestApp(variables, {
      ...(prefix === undefined ? {} : { configure: (app) => app.setGlobalPrefix(prefix) }),
    });
  };
  const get = async (path: string, headers = {}): Promise<Answer> =>
    api!.request('GET', path, { headers });

  it('names the issuer and the endpoints, whatever Host a request names', async () => {
    await start({ JWT_ISSUER: 'https://id.example.com' });
    const answer = await get(PATH, {
      'x-forwarded-host': 'evil.example',
      origin: 'https://a.test',
    });
    expect(answer).toMatchObject({ status: 200, body: metadataOf('https://id.example.com') });
    expect(Object.keys(answer.body)).toEqual(Object.keys(metadataOf('')));
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    for (const path of [`${PATH}/keyslot`, `${PATH}/..`]) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it('of an issuer with a path is at the path of RFC 8414, and below the issuer', async () => {
    const issuer = 'https://example.com/auth/keyslot';
    await start({ JWT_ISSUER: issuer, PUBLIC_URL: issuer });
    expect(await get(`${PATH}/auth/keyslot`)).toMatchObject({
      status: 200,
      body: metadataOf(issuer),
    });
    // A proxy that serves the path removes it.
    expect((await get(PATH)).body).toEqual(metadataOf(issuer));
    for (const path of ['/auth', '/auth/keyslot/', '/auth/keyslot/more', '/other']) {
      expect((await get(PATH + path)).status).toBe(404);
    }
  });

  it('names the public URL, if it differs from the issuer, and no global prefix', async () => {
    const variables = {
      JWT_ISSUER: 'https://id.example.com/',
      PUBLIC_URL: 'https://api.example.com/keyslot',
    };
    await start(variables, 'v1');
    expect(await get(PATH)).toMatchObject({
      status: 200,
      body: metadataOf('https://id.example.com/', 'https://api.example.com/keyslot'),
    });
    expect((await get('/.well-known/jwks.json')).status).toBe(200);
    expect((await api!.request('POST', '/oauth/token')).status).toBe(401);
  });

  it('does not exist while the issuer is no URL', async () => {
    await start({ JWT_ISSUER: 'keyslot' });
    expect(await get(PATH)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
});
