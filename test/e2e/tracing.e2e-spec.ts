import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestUser } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { OtlpCollector, type ExportedSpan } from '../support/otlp-collector.js';
import { rawHttpInParts, statusOf } from '../support/raw-http.js';

/** Headers of another service: W3C Trace Context. */
class Caller {
  readonly traceId = randomBytes(16).toString('hex');
  readonly spanId = randomBytes(8).toString('hex');

  headers(isSampled = true): Record<string, string> {
    return { traceparent: `00-${this.traceId}-${this.spanId}-${isSampled ? '01' : '00'}` };
  }
}

/** OpenTelemetry packages that a process has loaded, according to the coverage report of V8. */
function packagesIn(coverage: string): Set<string> {
  const urls = readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as {
      result: { url: string }[];
    };
    return result.map(({ url }) => url);
  });
  expect(urls.filter((url) => url.endsWith('/dist/main.js'))).toHaveLength(1);
  return new Set(
    urls.flatMap((url) => /node_modules\/(@opentelemetry\/[^/]+)\//.exec(url)?.[1] ?? []),
  );
}

describe('traces', () => {
  const folders: string[] = [];
  const coverage = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'keyslot-coverage-'));
    folders.push(folder);
    return folder;
  };
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

  describe('when a collector is configured', () => {
    const callers = {
      login: new Caller(),
      cold: new Caller(),
      warm: new Caller(),
      refused: new Caller(),
      unknown: new Caller(),
      unsampled: new Caller(),
    };
    const loaded = coverage();
    let collector: OtlpCollector;
    let user: TestUser;
    let output: string;

    beforeAll(async () => {
      collector = await OtlpCollector.start();
      const instance = await Instance.start({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_SERVICE_NAME: 'keyslot-under-test',
        // No periodic export: all spans are sent at the end.
        OTEL_BSP_SCHEDULE_DELAY: '600000',
        // A long lease, so that an expired lease causes no additional calls to Redis.
        NEAR_CACHE_LEASE: '60s',
        LOG_LEVEL: 'info',
        REDIS_KEY_PREFIX: `t-${randomBytes(4).toString('hex')}:`,
        NODE_V8_COVERAGE: loaded,
      });
      user = await instance.newUser('traced-user');
      // The user's node loads the script: the first call of an unknown script is sent twice.
      await instance.ownUser(user.tokens.access_token);
      const { username, password, id } = user;
      const token = (await instance.login(username)).body.access_token;
      const send = async (
        caller: Caller,
        method: string,
        path: string,
        options: { token?: string; body?: unknown } = {},
        isSampled = true,
      ): Promise<number> => {
        const headers = caller.headers(isSampled);
        return (await instance.request(method, path, { ...options, headers })).status;
      };
      const statuses = [
        await loginWithLateBody(instance.url, callers.login, { username, password }),
        await send(callers.cold, 'GET', `/api/users/${id}?secret=in-a-query`, { token }),
        await send(callers.warm, 'GET', '/api/user', { token }),
        await send(callers.refused, 'GET', '/api/user'),
        await send(callers.unknown, 'GET', `/not/there/${username}`),
        await send(callers.unsampled, 'GET', '/api/user', { token }, false),
      ];
      expect(statuses).toEqual([200, 403, 200, 401, 404, 200]);
      await instance.stop();
      output = instance.output();
      await collector.stop();
    });

    /**
     * Sends the body when the server is processing the request: after the response to the previous request on the
     * connection.
     */
    const loginWithLateBody = async (
      url: string,
      caller: Caller,
      body: object,
    ): Promise<number> => {
      const text = JSON.stringify(body);
      const heads = [
        'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n',
        'POST /api/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n',
        `traceparent: ${caller.headers()['traceparent']}\r\n`,
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n`,
      ];
      const answers = await rawHttpInParts(url, heads.join(''), text);
      return statusOf(answers.slice(answers.lastIndexOf('HTTP/1.1 ')));
    };

    const spansOf = ({ traceId }: Caller): ExportedSpan[] =>
      collector.spans.filter((span) => span.traceId === traceId);
    /** Each span as the list of names from the caller down to the span. */
    const pathsOf = (caller: Caller): string[] => {
      const spans = spansOf(caller);
      const pathOf = (span: ExportedSpan): string => {
        const parent = spans.find(({ spanId }) => spanId === span.parentId);
        expect(parent !== undefined || span.parentId === caller.spanId).toBe(true);
        return `${parent ? pathOf(parent) : 'caller'} > ${span.name}`;
      };
      return spans.map(pathOf).sort();
    };

    it('contain the spans from the caller through the request and the guard to Redis', () => {
      expect(pathsOf(callers.cold)).toEqual([
        'caller > GET /api/users/{id}',
        'caller > GET /api/users/{id} > guard',
        'caller > GET /api/users/{id} > guard > redis use-session.lua',
      ]);
      const [request, guard, redis] = ['GET /api/users/{id}', 'guard', 'redis use-session.lua'].map(
        (name) => spansOf(callers.cold).find((span) => span.name === name),
      );
      expect(request).toMatchObject({
        kind: 'server',
        isError: false,
        attributes: {
          'http.request.method': 'GET',
          'http.route': '/api/users/{id}',
          'http.response.status_code': 403,
          'url.scheme': 'http',
        },
        resource: { 'service.name': 'keyslot-under-test' },
      });
      expect(guard).toMatchObject({ kind: 'internal', isError: false, attributes: {} });
      expect(redis).toMatchObject({
        kind: 'client',
        isError: false,
        attributes: {
          'db.system.name': 'redis',
          'db.operation.name': 'use-session.lua',
          'server.address': '127.0.0.1',
        },
      });
    });

    it('show that a warm request makes no call to Redis', () => {
      expect(pathsOf(callers.warm)).toEqual([
        'caller > GET /api/user',
        'caller > GET /api/user > guard',
      ]);
    });

    it('include the Redis calls of a request after its body has arrived', () => {
      const paths = pathsOf(callers.login);

      expect(paths).toContain('caller > POST /api/login');
      expect(paths).toContain('caller > POST /api/login > redis start-session.lua');
      expect(paths.length).toBeGreaterThan(4);
    });

    it('record a refusal with its code, not as an error', () => {
      const guard = spansOf(callers.refused).find(({ name }) => name === 'guard');

      expect(guard).toMatchObject({
        isError: false,
        attributes: { 'error.type': 'missing-token' },
      });
    });

    it('record unknown paths under one name', () => {
      expect(pathsOf(callers.unknown)).toEqual(['caller > GET unknown']);
    });

    it('are not exported when the caller has not sampled them', () => {
      expect(spansOf(callers.unsampled)).toEqual([]);
    });

    it('begin with a request; background work is not traced', () => {
      const roots = collector.spans.filter(({ parentId }) => parentId === '');

      expect(new Set(roots.map(({ kind }) => kind))).toEqual(new Set(['server']));
      expect(roots.map(({ name }) => name).sort()).toEqual([
        'GET /api/user',
        'GET /health/live',
        'POST /api/login',
        'POST /api/login',
        'POST /api/users',
      ]);
    });

    it('have their id in the log line of each response', () => {
      for (const caller of Object.values(callers)) {
        const lines = output.split('\n').filter((line) => line.includes(caller.traceId));
        expect(lines).toHaveLength(1);
        expect(JSON.parse(lines[0]!)).toMatchObject({
          msg: 'answered',
          trace_id: caller.traceId,
        });
      }
    });

    it('contain no token, password or personal data (90)', () => {
      const { access_token, refresh_token, session_id } = user.tokens;
      const parts = [...access_token.split('.'), ...refresh_token.split('.')];
      for (const secret of [...parts, session_id, user.password, user.username, user.id]) {
        expect(collector.received).not.toContain(secret);
      }
      expect(collector.received).not.toContain('in-a-query');
      expect(collector.received).toContain('use-session.lua');
    });

    it('load the OpenTelemetry SDK only when they are enabled', () => {
      expect(packagesIn(loaded)).toContain('@opentelemetry/sdk-trace-node');
    });
  });

  it('do not affect responses when the collector refuses them; this is logged once and without the key (90)', async () => {
    const collector = await OtlpCollector.start();
    collector.isClosed = true;
    const instance = await Instance.start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=a-key-of-the-collector',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1',
      LOG_LEVEL: 'info',
    });

    for (let requests = 0; requests < 3; requests += 1) {
      expect((await instance.request('GET', '/health/live')).status).toBe(200);
    }

    await instance.stop();
    await collector.stop();
    const told = instance.output().match(/Exporting traces failed: [^"]*/g);
    expect(told).toEqual(['Exporting traces failed: Unauthorized']);
    expect(instance.output()).not.toContain('a-key-of-the-collector');
  });

  it('do not load the OpenTelemetry SDK without a collector', async () => {
    const loaded = coverage();
    const instance = await Instance.start({
      LOG_LEVEL: 'info',
      OTEL_SERVICE_NAME: 'named-but-not-traced',
      NODE_V8_COVERAGE: loaded,
    });
    const caller = new Caller();
    await instance.request('GET', '/health/live', { headers: caller.headers() });
    await instance.stop();

    // prom-client loads only the API package.
    expect([...packagesIn(loaded)]).toEqual(['@opentelemetry/api']);
    expect(instance.output()).toContain('"route":"/health/live"');
    expect(instance.output()).not.toContain('trace_id');
  });
});
