import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type ConnectionOptions } from 'node:tls';
import { join } from 'node:path';

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
import { Production, type Nginx } from './production.js';

const PROXY = '127.0.0.1';
const CLIENT = '127.0.0.2';
const BODY_LIMIT = 64 * 1024;
const NGINX_BODY_LIMIT = 256 * 1024;

/** The files of docker/ at work, as far as that is possible without containers. */
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

    it('spreads requests over both instances, and what one ends is ended for the other', async () => {
      const { body: session } = await api.login(user.username);
      const read = async () => api.ownUser(session.access_token);
      const before = nginx.answers().length;
      expect(await statuses(read)).toEqual(sixTimes(200));
      const asked = nginx.answers().slice(before);
      expect(new Set(asked.map(({ instance }) => instance))).toEqual(new Set(hosts()));

      expect((await api.logout(session.access_token)).status).toBe(204);

      expect(await statuses(read)).toEqual(sixTimes(401));
    });

    it('tells the instances who the client is, and lets nobody tell them otherwise (60)', async () => {
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

    describe('when an instance dies', () => {
      const names = ['one', 'two'].map((name) => `${name}-${Date.now()}`);
      let read: Answer[];
      let registered: Answer<unknown>[];
      beforeAll(async () => {
        const [first] = production.instances;
        // It stands still, and has one request of each two in hand when it dies.
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

      it('asks the other for what it was about to read', () => {
        expect(read.map(({ status }) => status)).toEqual([200, 200]);
        const moved = nginx.answers().filter(({ instance }) => instance.includes(','));
        expect(moved.map(({ method }) => method)).toEqual(['GET']);
      });

      it('gives a registration that it had in hand to nobody else, and says what that means', async () => {
        expect(registered.map(({ status }) => status).sort()).toEqual([201, 503]);
        const lost = registered.findIndex(({ status }) => status === 503);
        expect(registered[lost]!.body).toMatchObject({ code: 'not-confirmed' });
        expect(registered[lost]!.headers.get('retry-after')).toBe('1');
        // Nobody has it: it was not sent again behind our back.
        expect((await api.register(names[lost]!)).status).toBe(201);
      });

      it('asks the other for whatever comes then', async () => {
        expect(await statuses(async () => api.ownUser(user.tokens.access_token))).toEqual(
          sixTimes(200),
        );
        expect(await statuses(async () => api.login(user.username))).toEqual(sixTimes(200));
      });
    });

    it('loses no request while an instance that was taken out is restarted', async () => {
      const [first] = production.instances;
      // Whose sessions are many: the oldest end.
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

    it('hands on what an instance says that cannot reach Redis, for clients to repeat', async () => {
      const { cutOff, instances } = production;
      const another = await production.startNginx([cutOff!, instances[1]!]);
      const client = clientOf(another);
      const readiness = await cutOff!.request('GET', '/health/ready');
      expect(readiness.status).toBe(503);
      expect(readiness.body['checks']).toEqual({});

      // One begins with each instance. It has looked for Redis for so long that the other is not asked as well.
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

    it('speaks TLS 1.2 and 1.3 with forward secrecy, and nothing else (81)', async () => {
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

    it('refuses plain HTTP and leads it nowhere, and tells browsers to stay with HTTPS (82)', async () => {
      const answer = await rawHttp(
        nginx.url.replace('https://localhost', `http://${PROXY}`),
        rawRequest('POST', '/api/login', [], '{}'),
      );
      expect(statusOf(answer)).toBe(400);
      expect(answer).not.toMatch(/^location:/im);

      const { headers } = await api.request('GET', '/health/live');
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    });

    it('leads to nothing that is for the private side (88)', async () => {
      for (const path of ['/metrics', '/docs', '/docs-json']) {
        expect([path, (await api.request('GET', path)).status]).toEqual([path, 404]);
      }
      expect((await api.request('GET', '/health/ready')).body['checks']).toEqual({});

      const management = new HttpClient(`http://127.0.0.1:${production.managementPorts[1]}`);
      expect((await management.request('GET', '/metrics')).status).toBe(200);
    });

    it('keeps a log without addresses of pages, and has nothing to complain about but the dead', async () => {
      await api.request('GET', `/api/user?token=${user.tokens.access_token}`);

      const log = JSON.stringify(nginx.answers());
      expect(log).not.toContain('/api/');
      expect(log).not.toContain(user.tokens.access_token);
      const complaints = nginx
        .errors()
        .split('\n')
        .filter((line) => /\[(alert|crit|emerg)\]/.test(line));
      expect(complaints).toEqual([]);
      // An instance has died by now, which is told of in the log of errors as well.
      expect(nginx.errors()).not.toContain('/api/');
    });
  });

  describe('Redis', () => {
    it('is one cluster of three masters with a replica each, and making it again does nothing', async () => {
      expect(await production.createCluster()).toContain('there already');

      const management = new HttpClient(`http://127.0.0.1:${production.managementPorts[1]}`);
      await eventually('it is ready', 10_000, async () => {
        const { body } = await management.request('GET', '/health/ready');
        return body['status'] === 'ok';
      });
      const { body } = await management.request('GET', '/health/ready');
      expect(body['checks']).toMatchObject({ redis: { masters: 3, replicas: 3 } });
    });

    it('lets nobody in without a name, or in plain text', async () => {
      for (const port of production.redisPorts) {
        expect(await production.redis(port, undefined, 'cluster', 'info')).toContain('NOAUTH');
      }
      const [port] = production.redisPorts;
      const plain = rawHttp(`http://127.0.0.1:${port}`, 'PING\r\n');
      expect(await plain.catch(() => '')).not.toContain('PONG');
    });

    it('gives the instances the rights that they need and no others, on every node (94)', async () => {
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
    it('leaves what is there as it is', async () => {
      const before = production.allSecrets();

      await production.makeSecrets();

      expect(production.allSecrets()).toEqual(before);
      expect(Object.values(before)).not.toContain('');
    });

    it('gives a user "default" without rights, as it made it before, all of them back', async () => {
      const users = join(production.secrets, 'redis-users');
      const shipped = readFileSync(users, 'utf8');
      writeFileSync(users, shipped.replace(/^user default .*$/m, 'user default off'));

      await production.makeSecrets();

      expect(readFileSync(users, 'utf8')).toBe(shipped);
      expect(shipped).toMatch(/^user default off resetpass ~\* &\* \+@all$/m);
    });

    it('makes passwords that differ, and none of them gets into a log (90, 93)', () => {
      const passwords = Object.entries(production.allSecrets())
        .filter(([name]) => /password$|^key-encryption/.test(name))
        .map(([, text]) => text.trim());
      expect(new Set(passwords).size).toBe(4);

      const printed = production.instances.map((instance) => instance.output()).join();
      for (const password of passwords) {
        expect(password).toMatch(/^[0-9a-f]{64}$/);
        expect(printed + nginx.errors()).not.toContain(password);
      }
    });
  });
});
