import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { documentedNginx } from '../support/documented-nginx.js';
import { freePort } from '../support/free-port.js';
import { HttpClient, type Answer, type TestUser } from '../support/http-client.js';
import { startNginx, type Nginx } from '../support/nginx.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const REQUESTS = 50;
const UNTRUSTED_MS = 20_000;
const FORGED = {
  'x-auth-subject': 'somebody-else',
  'x-auth-session': 'somebody-else',
  'x-auth-roles': 'admin',
  'x-auth-username': 'somebody-else',
  x_auth_subject: 'somebody-else',
};

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The nginx configuration of docs/services.md, in a real nginx. */
describe('nginx in front of a service, as documented', () => {
  let redis: OwnCluster;
  let keyslot: TestApp;
  let service: Server;
  let nginx: Nginx;
  let client: HttpClient;
  let admin: string;
  /** A user with the permission. */
  let user: TestUser;
  const received: Received[] = [];
  const connections = new Set<Socket>();
  beforeAll(async () => {
    redis = await startOwnCluster();
    keyslot = await startTestApp(
      { ...redis.variables, ...WITH_ADMINISTRATOR },
      { roles: { clerk: ['orders:read'] } },
    );
    keyslot.app.getHttpServer().on('connection', (socket) => connections.add(socket));
    service = await startService(received);
    const port = await freePort();
    nginx = await startNginx(
      port,
      documentedNginx({ port, keyslot: keyslot.url, service: urlOf(service) }),
    );
    client = new HttpClient(`http://127.0.0.1:${port}`);
    admin = (await keyslot.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
    user = await clerk();
  });
  afterAll(async () => {
    await nginx.close();
    service.close();
    service.closeAllConnections();
    await keyslot.close();
    await redis.remove();
  });
  beforeEach(() => {
    received.splice(0);
    connections.clear();
  });

  const clerk = async (): Promise<TestUser> => {
    const one = await keyslot.newUser();
    await change(one, { roles: ['clerk'] });
    return one;
  };
  const change = async ({ id }: TestUser, body: object): Promise<void> => {
    const answer = await keyslot.request('PATCH', `/api/users/${id}`, { token: admin, body });
    expect(answer.status).toBe(200);
  };
  const ask = async (one: TestUser | undefined, headers = {}): Promise<Answer<unknown>> =>
    client.request('GET', '/orders?limit=1', {
      ...(one ? { token: one.tokens.access_token } : {}),
      headers,
    });

  it('passes on a request with the identity of its sender, and no forged header', async () => {
    const path = '/orders/17?permission=nobody-has-this';
    const body = { amount: 3, text: 'a'.repeat(100_000) };
    const headers = { ...FORGED, 'X-Auth-Subject': 'a', 'X-AUTH-ROLES': 'b' };
    const token = user.tokens.access_token;

    const answer = await client.request('PUT', path, { token, headers, body });

    expect(answer).toMatchObject({ status: 200, body: 'served' });
    expect(received).toHaveLength(1);
    const [{ headers: sent, ...request } = received[0]!] = received;
    expect(request).toEqual({ method: 'PUT', url: path, body: JSON.stringify(body) });
    expect(
      Object.entries(sent)
        .filter(([name]) => /auth/.test(name))
        .sort(),
    ).toEqual([
      ['authorization', `Bearer ${token}`],
      ['x-auth-roles', 'clerk'],
      ['x-auth-session', user.tokens.session_id],
      ['x-auth-subject', user.id],
      ['x-auth-username', user.username],
    ]);
  });

  it('refuses a request without a token, without the permission, and with several tokens', async () => {
    const none = await ask(undefined, FORGED);
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="keyslot"');
    const invalid = await client.request('GET', '/orders', { token: 'abc' });
    expect(invalid.status).toBe(401);
    expect(invalid.headers.get('www-authenticate')).toMatch(/invalid_token/);
    expect((await ask(await keyslot.newUser(), FORGED)).status).toBe(403);
    const token = `Authorization: Bearer ${user.tokens.access_token}`;
    const twice = await rawHttp(client.url, rawRequest('GET', '/orders', [token, token]));
    expect([400, 401]).toContain(statusOf(twice));
    expect(received).toEqual([]);
  });

  it('refuses the first request after a logout, and after a role change', async () => {
    const [one, other] = [await clerk(), await clerk()];
    expect([(await ask(one)).status, (await ask(other)).status]).toEqual([200, 200]);

    await keyslot.logout(one.tokens.access_token);
    await change(other, { roles: [] });

    expect([(await ask(one)).status, (await ask(other)).status]).toEqual([401, 403]);
  });

  it('keeps its connections to Keyslot and the service', async () => {
    const serviceConnections = new Set<Socket>();
    service.on('connection', (socket) => serviceConnections.add(socket));
    for (let count = 0; count < REQUESTS; count += 1) {
      expect((await ask(user)).status).toBe(200);
    }
    expect(received).toHaveLength(REQUESTS);
    expect(connections.size).toBeLessThanOrEqual(1);
    expect(serviceConnections.size).toBeLessThanOrEqual(1);
  });

  it('does not let a client use the route of Keyslot', async () => {
    const token = user.tokens.access_token;
    expect((await client.request('GET', '/forward-auth', { token })).status).toBe(404);
    expect(received).toEqual([]);
  });

  it('passes on a failure of the service', async () => {
    const token = user.tokens.access_token;
    const answer = await client.request('GET', '/fail', { token });
    expect(answer).toMatchObject({ status: 500, body: 'failed' });
  });

  it('refuses requests while Redis is unreachable, and when Keyslot is', async () => {
    const expect503 = (answer: Answer<unknown>): void => {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('1');
    };
    redis.cluster.pids.forEach((_, port) => redis.signal(port, 'SIGSTOP'));
    try {
      await eventually('Keyslot does not trust its memory', UNTRUSTED_MS, async () =>
        keyslot
          .request('GET', '/forward-auth', { token: user.tokens.access_token })
          .then(({ status }) => status === 503),
      );
      expect503(await ask(user));
    } finally {
      redis.cluster.pids.forEach((_, port) => redis.signal(port, 'SIGCONT'));
    }
    await keyslot.close();
    expect503(await ask(user));
    expect(received).toEqual([]);
  });
});

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startService(received: Received[]): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      received.push({ method, url, headers, body });
      const hasFailed = url === '/fail';
      response.statusCode = hasFailed ? 500 : 200;
      response.end(hasFailed ? 'failed' : 'served');
    });
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}
