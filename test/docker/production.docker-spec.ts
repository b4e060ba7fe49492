import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type ConnectionOptions } from 'node:tls';
import { join, resolve } from 'node:path';

import {
  problemDocument,
  Problem,
  type ProblemCode,
  type ProblemDocument,
} from '../../src/common/problem/index.js';
import { HttpClient, type Answer, type TestUser, type Tokens } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { rawHttp, rawRequest, statusOf } from '../support/raw-http.js';
import { HttpsClient } from './https-client.js';
import { startOrders } from './orders-service.js';
import { Production, type Nginx, type Service } from './production.js';

/** Packing, and the installation of packages. */
const INSTALL_MS = 240_000;
const PROXY = '127.0.0.1';
const CLIENT = '127.0.0.2';
const BODY_LIMIT = 64 * 1024;
const NGINX_BODY_LIMIT = 256 * 1024;

/** The files of docker/ in use, as far as possible without containers. */
describe('docker/compose.production.yaml', () => {
  let production: Production;
  let nginx: Nginx;
  let api: HttpsClient;
  beforeAll(async () => {
    production = await Production.start();
    nginx = await production.startNginx(production.instances);
    api = clientOf(nginx);
  });
  afterAll(async () => production.stop());

  const clientOf = ({ url }: Nginx, localAddress?: string): HttpsClient =>
    new HttpsClient(url, {
      ca: join(production.secrets, 'redis-ca'),
      ...(localAddress === undefined ? {} : { localAddress }),
    });
  const repeat = async <T>(times: number, work: () => Promise<T>): Promise<T[]> => {
    const results: T[] = [];
    for (let time = 0; time < times; time += 1) {
      results.push(await work());
    }
    return results;
  };
  const statuses = async (work: () => Promise<{ status: number }>): Promise<number[]> =>
    repeat(6, async () => (await work()).status);
  const sixTimes = (status: number): number[] => Array<number>(6).fill(status);
  const hosts = (): string[] => production.instances.map(({ url }) => new URL(url).host);

  describe('nginx', () => {
    let user: TestUser;
    beforeAll(async () => {
      user = await api.newUser();
    });

    it('distributes requests over both instances, and both refuse a session that one has ended', async () => {
      const { body: session } = await api.login(user.username);
      const read = async () => api.ownUser(session.access_token);
      const before = nginx.answers().length;
      expect(await statuses(read)).toEqual(sixTimes(200));
      const asked = nginx.answers().slice(before);
      expect(new Set(asked.map(({ instance }) => instance))).toEqual(new Set(hosts()));

      expect((await api.logout(session.access_token)).status).toBe(204);

      expect(await statuses(read)).toEqual(sixTimes(401));
    });

    it('passes the client address to the instances, and ignores address headers of clients (60)', async () => {
      const headers = {
        'x-forwarded-for': '6.6.6.6',
        'x-real-ip': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'evil.test',
      };
      const login = await clientOf(nginx, CLIENT).request<Tokens>('POST', '/api/login', {
        body: { username: user.username, password: user.password },
        headers,
      });

      expect(login.status).toBe(200);
      const { access_token: token, session_id: id } = login.body;
      const { body } = await api.request<{ items: { id: string; ip: string }[] }>(
        'GET',
        '/api/user/sessions',
        { token, headers },
      );
      expect(body.items.find((session) => session.id === id)).toMatchObject({ ip: CLIENT });
      const audited = await Promise.all(
        production.instances.map(async (instance) => instance.audited('logged-in')),
      );
      expect(audited.flat().find((event) => event['sessionId'] === id)).toMatchObject({
        ip: CLIENT,
      });
      expect(production.instances.map((instance) => instance.output()).join()).not.toMatch(
        /6\.6\.6\.6|evil\.test/,
      );
    });

    describe('when an instance crashes', () => {
      const names = ['one', 'two'].map((name) => `${name}-${Date.now()}`);
      let read: Answer[];
      let registered: Answer<unknown>[];
      beforeAll(async () => {
        const [first] = production.instances;
        // The instance is paused, and has received one of every two requests when it is killed.
        first!.pause();
        const reading = [0, 1].map(async () => api.ownUser(user.tokens.access_token));
        await Promise.race(reading);
        const registering = names.map(async (name) => api.register(name));
        await Promise.race(registering);
        await first!.kill();
        read = await Promise.all(reading);
        registered = await Promise.all(registering);
      });
      afterAll(async () => production.instances[0]!.restart());

      it('retries pending reads on the other instance', () => {
        expect(read.map(({ status }) => status)).toEqual([200, 200]);
        const moved = nginx.answers().filter(({ instance }) => instance.includes(','));
        expect(moved.map(({ method }) => method)).toEqual(['GET']);
      });

      it('does not retry a pending registration, and the response explains that the outcome is unknown', async () => {
        expect(registered.map(({ status }) => status).sort()).toEqual([201, 503]);
        const lost = registered.findIndex(({ status }) => status === 503);
        expect(registered[lost]!.body).toMatchObject({ code: 'not-confirmed' });
        expect(registered[lost]!.headers.get('retry-after')).toBe('1');
        // The name is available: the request was not retried.
        expect((await api.register(names[lost]!)).status).toBe(201);
      });

      it('sends all later requests to the other instance', async () => {
        expect(await statuses(async () => api.ownUser(user.tokens.access_token))).toEqual(
          sixTimes(200),
        );
        expect(await statuses(async () => api.login(user.username))).toEqual(sixTimes(200));
      });
    });

    it('loses no request while a drained instance is restarted', async () => {
      const [first] = production.instances;
      // The user has many sessions: the oldest are evicted.
      const another = await api.newUser();
      let isDone = false;
      const answers: Answer<unknown>[] = [];
      const goOn = async (send: () => Promise<Answer<unknown>>): Promise<void> => {
        while (!isDone) {
          answers.push(await send());
        }
      };
      const clients = [
        goOn(async () => api.ownUser(user.tokens.access_token)),
        goOn(async () => api.login(another.username)),
      ];

      await nginx.takeOut(first!);
      await first!.stop();
      await first!.restart();
      await nginx.putBack();
      isDone = true;
      await Promise.all(clients);

      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const asked = nginx.answers().map(({ instance }) => instance);
      await statuses(async () => api.ownUser(user.tokens.access_token));
      const after = nginx.answers().slice(asked.length);
      expect(new Set(after.map(({ instance }) => instance))).toEqual(new Set(hosts()));
    });

    it('returns the response of an instance that cannot reach Redis, so that clients can retry', async () => {
      const { cutOff, instances } = production;
      const another = await production.startNginx([cutOff!, instances[1]!]);
      const client = clientOf(another);
      const readiness = await cutOff!.request('GET', '/health/ready');
      expect(readiness.status).toBe(503);
      expect(readiness.body['checks']).toEqual({});

      // One request starts at each instance. It waits for Redis for so long that nginx does not retry on the other.
      const reads = await repeat(2, async () => client.ownUser(user.tokens.access_token));
      expect(reads.map(({ status }) => status).sort()).toEqual([200, 503]);
      const logins = await repeat(2, async () => client.login(user.username));
      expect(logins.map(({ status }) => status).sort()).toEqual([200, 503]);
      const refused = logins.find(({ status }) => status === 503)!;
      expect(refused.body).toMatchObject({ code: 'store-unavailable' });
      expect(refused.headers.get('retry-after')).toBe('1');
    });

    it.each([
      ['Keyslot, in the language of the client', BODY_LIMIT + 1, 'zh', '请求体过大'],
      ['nginx', NGINX_BODY_LIMIT + 1, 'en', 'The body is too large'],
    ])('refuses a body that is too large for %s', async (_, length, language, title) => {
      const answer = await api.request('POST', '/api/login', {
        body: 'x'.repeat(length),
        headers: { 'accept-language': language },
      });

      expect(answer.status).toBe(413);
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(answer.headers.get('content-language')).toBe(language);
      expect(answer.body).toMatchObject({ code: 'body-too-large', title });
    });

    it.each<[ProblemCode, string, string, { readonly headers?: object; readonly body?: string }]>([
      ['body-too-large', 'POST', '/api/login', { body: 'x'.repeat(NGINX_BODY_LIMIT + 1) }],
      ['headers-too-large', 'GET', '/health/live', { headers: { a: 'x'.repeat(20_000) } }],
      ['headers-too-large', 'GET', `/${'x'.repeat(20_000)}`, {}],
      ['method-not-allowed', 'TRACE', '/api/user', {}],
      ['malformed-request', 'GET', '/health/live', { headers: { host: 'a b' } }],
      ['not-found', 'GET', '/nginx/problem', {}],
    ])(
      'answers with the problem of the catalogue: %s (83, 92)',
      async (code, method, path, more) => {
        const answer = await api.request<ProblemDocument>(method, path, more as object);

        const problem = new Problem(code);
        const { requestId } = answer.body;
        expect(answer.body).toEqual(
          problemDocument(problem, { path: '/', requestId, language: 'en' }),
        );
        expect(answer.status).toBe(problem.status);
        expect(answer.headers.get('x-request-id')).toBe(requestId);
        expect(answer.headers.get('retry-after')).toBeNull();
        const own = await api.request('GET', '/nothing');
        for (const name of [
          'cache-control',
          'content-language',
          'content-security-policy',
          'content-type',
          'referrer-policy',
          'strict-transport-security',
          'x-content-type-options',
        ]) {
          expect([name, answer.headers.get(name)]).toEqual([name, own.headers.get(name)]);
        }
        expect(answer.headers.get('server')).not.toMatch(/\d/);
      },
    );

    it('speaks only TLS 1.2 and 1.3 with forward secrecy (81)', async () => {
      const agreed = async (options: ConnectionOptions): Promise<string> =>
        new Promise((done, fail) => {
          const socket = connect(
            {
              host: 'localhost',
              port: Number(new URL(nginx.url).port),
              ca: readFileSync(join(production.secrets, 'redis-ca')),
              ...options,
            },
            () => {
              done(`${socket.getProtocol()} ${socket.getCipher().name}`);
              socket.destroy();
            },
          );
          socket.once('error', fail);
        });
      const upTo12 = { maxVersion: 'TLSv1.2' } as const;

      expect(await agreed({})).toMatch(/^TLSv1\.3 TLS_/);
      expect(await agreed(upTo12)).toMatch(/^TLSv1\.2 ECDHE-ECDSA-.*(GCM|POLY)/);
      const old = {
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
        ciphers: 'ALL@SECLEVEL=0',
      } as const;
      await expect(agreed(old)).rejects.toThrow(/alert|reset/i);
      const cbc = 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA';
      await expect(agreed({ ...upTo12, ciphers: cbc })).rejects.toThrow(/alert|reset/i);
    });

    it('refuses plain HTTP without a redirect, and sends HSTS (82)', async () => {
      const answer = await rawHttp(
        nginx.url.replace('https://localhost', `http://${PROXY}`),
        rawRequest('POST', '/api/login', [], '{}'),
      );
      expect(statusOf(answer)).toBe(400);
      expect(answer).not.toMatch(/^location:/im);

      const { headers } = await api.request('GET', '/health/live');
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    });

    it('does not forward requests for private routes (88)', async () => {
      for (const path of ['/metrics', '/docs', '/docs-json']) {
        expect([path, (await api.request('GET', path)).status]).toEqual([path, 404]);
      }
      expect((await api.request('GET', '/health/ready')).body['checks']).toEqual({});

      const management = new HttpClient(`http://127.0.0.1:${production.managementPorts[1]}`);
      expect((await management.request('GET', '/metrics')).status).toBe(200);
    });

    it('logs no URL paths, and no errors except for the killed instance', async () => {
      await api.request('GET', `/api/user?token=${user.tokens.access_token}`);

      const log = JSON.stringify(nginx.answers());
      expect(log).not.toContain('/api/');
      expect(log).not.toContain(user.tokens.access_token);
      const complaints = nginx
        .errors()
        .split('\n')
        .filter((line) => /\[(alert|crit|emerg)\]/.test(line));
      expect(complaints).toEqual([]);
      // The error log also mentions the killed instance.
      expect(nginx.errors()).not.toContain('/api/');
    });
  });

  describe('Redis', () => {
    it('is one cluster of three masters with a replica each and a spare one, and creating it again changes nothing', async () => {
      expect(await production.createCluster()).toContain('already exists');

      const management = new HttpClient(`http://127.0.0.1:${production.managementPorts[1]}`);
      await eventually('it is ready', 10_000, async () => {
        const { body } = await management.request('GET', '/health/ready');
        return body['status'] === 'ok';
      });
      const { body } = await management.request('GET', '/health/ready');
      expect(body['checks']).toMatchObject({ redis: { masters: 3, replicas: 4 } });
    });

    it('moves the spare replica to a master that has lost its own, without an operator', async () => {
      const sizes = async (): Promise<number[]> =>
        (await production.shards()).map(({ replicas }) => replicas.length).sort();
      expect(await sizes()).toEqual([1, 1, 2]);
      const shards = await production.shards();
      const { master, replicas } = shards.find((shard) => shard.replicas.length === 1)!;
      const spares = shards.find((shard) => shard.replicas.length === 2)!.replicas;

      const startNode = await production.killNode(replicas[0]!);

      await eventually('the master has another replica', 30_000, async () => {
        const info = await production.redis(master, 'admin', 'info', 'replication');
        const [, port] = /slave0:ip=[^,]*,port=(\d+),state=online/.exec(info) ?? [];
        return spares.includes(Number(port));
      });
      await startNode();
      expect(await sizes()).toEqual([1, 1, 2]);
    });

    it('refuses connections without authentication or without TLS', async () => {
      for (const port of production.redisPorts) {
        expect(await production.redis(port, undefined, 'cluster', 'info')).toContain('NOAUTH');
      }
      const [port] = production.redisPorts;
      const plain = rawHttp(`http://127.0.0.1:${port}`, 'PING\r\n');
      expect(await plain.catch(() => '')).not.toContain('PONG');
    });

    it('gives the instances only the necessary rights, on every node (94)', async () => {
      for (const port of production.redisPorts) {
        expect(await production.redis(port, 'keyslot', 'config', 'get', 'dir')).toContain('NOPERM');
        expect(await production.redis(port, 'keyslot', 'keys', '*')).toContain('NOPERM');
        const log = await production.redis(port, 'admin', 'acl', 'log');
        const refused = [...log.matchAll(/^object\n(.+)$/gm)].map(([, command]) => command);
        expect(refused.filter((one) => !['config|get', 'keys'].includes(one!))).toEqual([]);
      }
    });
  });

  describe('make-secrets.sh', () => {
    it('does not change existing files', async () => {
      const before = production.allSecrets();

      await production.makeSecrets();

      expect(production.allSecrets()).toEqual(before);
      expect(Object.values(before)).not.toContain('');
    });

    it('restores the rights of a user "default" without rights, as created by earlier versions', async () => {
      const users = join(production.secrets, 'redis-users');
      const shipped = readFileSync(users, 'utf8');
      writeFileSync(users, shipped.replace(/^user default .*$/m, 'user default off'));

      await production.makeSecrets();

      expect(readFileSync(users, 'utf8')).toBe(shipped);
      expect(shipped).toMatch(/^user default off resetpass ~\* &\* \+@all$/m);
    });

    it('creates different passwords, and logs none of them (90, 93)', () => {
      const passwords = Object.entries(production.allSecrets())
        .filter(([name]) => /password$|^key-encryption/.test(name))
        .map(([, text]) => text.trim());
      // The key, the administrator, the instances, the replicas, and the service `orders`.
      expect(new Set(passwords).size).toBe(5);

      const printed = production.instances.map((instance) => instance.output()).join();
      for (const password of passwords) {
        expect(password).toMatch(/^[0-9a-f]{64}$/);
        expect(printed + nginx.errors()).not.toContain(password);
      }
    });
  });
});

describe('docker/compose.services.yaml', () => {
  let production: Production;
  let orders: Service;
  let api: HttpsClient;
  beforeAll(async () => {
    production = await Production.startRedisAndInstances({ JWT_AUDIENCE: 'keyslot,orders' });
    orders = await startOrders(production);
    const script = resolve('docker/services/reports.py');
    const reports = await production.startService('reports', 'python3', [script]);
    const { url } = await production.startNginx(production.instances, { orders, reports });
    api = new HttpsClient(url, { ca: join(production.secrets, 'redis-ca') });
  }, INSTALL_MS);
  afterAll(async () => {
    await orders?.stop();
    await production.stop();
  });

  it.each(['/orders', '/reports'])('%s refuses a token as soon as it is revoked', async (path) => {
    const { tokens } = await api.newUser();
    const { access_token: token } = tokens;

    expect((await api.request('GET', path)).status).toBe(401);
    expect((await api.request('GET', path, { token })).status).toBe(200);
    expect((await api.logout(token)).status).toBe(204);
    expect((await api.request('GET', path, { token })).status).toBe(401);
  });

  it('/orders gets the name of the user, and says whether it runs', async () => {
    const { username, tokens } = await api.newUser();

    const { body } = await api.request('GET', '/orders', { token: tokens.access_token });

    expect(body).toEqual({ orders: [], customer: username });
    expect((await fetch(`${orders.url}/health`)).status).toBe(200);
  });

  it('/reports gets the name of the user from Keyslot, and not from the client', async () => {
    const { username, tokens } = await api.newUser('Zoë');
    const headers = { 'x-auth-username': 'somebody-else' };

    const { body } = await api.request('GET', '/reports', { token: tokens.access_token, headers });

    expect(body).toEqual({ reports: [], reader: username });
  });

  it('/reports refuses with a problem document', async () => {
    const { body, headers } = await api.request('GET', '/reports');

    expect(body).toMatchObject({ status: 401, code: 'invalid-token' });
    expect(headers.get('www-authenticate')).toMatch(/^Bearer /);
  });
});
