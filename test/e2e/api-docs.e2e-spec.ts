import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startTestApp, type TestApp } from '../support/test-app.js';

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: string[];
  readonly security?: Record<string, unknown>[];
  readonly responses: Record<string, { content?: Record<string, unknown> }>;
  readonly requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
}
interface ApiDocument {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    schemas: Record<string, { properties: Record<string, { example?: unknown }> }>;
  };
}

describe('the OpenAPI document', () => {
  let api: TestApp;
  let document: ApiDocument;
  beforeAll(async () => {
    api = await startTestApp();
    document = (await api.request<ApiDocument>('GET', '/docs-json')).body;
  });
  afterAll(async () => api.close());

  const operations = (): [method: string, path: string, operation: Operation][] =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
        method,
        path,
        operation,
      ]),
    );
  const example = (operation: Operation): Record<string, unknown> => {
    const reference = operation.requestBody!.content['application/json'].schema.$ref;
    const { properties } = document.components.schemas[reference.split('/').at(-1)!]!;
    return Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, property.example]),
    );
  };

  it('is OpenAPI 3.1 and passes the linter', () => {
    expect(document.openapi).toBe('3.1.0');
    const folder = mkdtempSync(join(tmpdir(), 'keyslot-openapi-'));
    const file = join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(document));

    const linter = spawnSync(
      process.execPath,
      [
        ...['node_modules/@redocly/cli/bin/cli.js', 'lint', '--config', 'redocly.yaml'],
        ...['--format', 'json', '--max-problems', '1000', file],
      ],
      {
        encoding: 'utf8',
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      },
    );
    rmSync(folder, { recursive: true });

    const { problems } = JSON.parse(linter.stdout) as { problems: { message: string }[] };
    expect(problems.map((problem) => problem.message)).toEqual([]);
    expect(linter.status).toBe(0);
  });

  it('explains each route in a sentence, under a group', () => {
    for (const [method, path, operation] of operations()) {
      expect({ method, path, ...operation }).toMatchObject({
        summary: expect.stringMatching(/\S/),
        description: expect.stringMatching(/\S/),
        tags: [expect.stringMatching(/\S/)],
      });
    }
  });

  it('tells the truth about who may call: without a token, 401 exactly where it asks for one (101)', async () => {
    for (const [method, path, { security, responses }] of operations()) {
      // A route that a body opens asks for a token without one.
      const isPublic = security?.every((choice) => Object.keys(choice).length === 0) ?? false;
      const { status } = await api.request(method.toUpperCase(), path, {
        headers: { 'content-type': 'application/json' },
      });
      expect({ method, path, denied: status === 401 }).toEqual({ method, path, denied: !isPublic });
      expect(Object.keys(responses)).toContain(String(status));
    }
  });

  it('lists every status that a broken body leads to', async () => {
    const { tokens } = await api.newUser();
    const bodies: [string, string][] = [
      ['application/json', '{'],
      ['application/json', '{"unknown":1}'],
      ['application/json', `"${'a'.repeat(70_000)}"`],
      ['text/plain', '{}'],
    ];
    for (const [method, path, operation] of operations().filter(
      ([, , { requestBody }]) => requestBody,
    )) {
      for (const [type, body] of bodies) {
        const { status } = await api.request(method.toUpperCase(), path, {
          token: tokens.access_token,
          headers: { 'content-type': type },
          body,
        });
        expect(status).toBeGreaterThanOrEqual(400);
        expect({ path, documented: Object.keys(operation.responses) }).toEqual({
          path,
          documented: expect.arrayContaining([String(status)]),
        });
      }
    }
  });

  it('has examples that work unchanged, from registration to deletion', async () => {
    const call = (method: string, path: string, token?: string) =>
      api.request(method.toUpperCase(), path, {
        body: example(document.paths[path]![method]!),
        ...(token === undefined ? {} : { token }),
      });

    expect((await call('post', '/api/users')).status).toBe(201);
    const login = await call('post', '/api/login');
    expect(login.status).toBe(200);
    const token = String(login.body['access_token']);
    expect((await call('patch', '/api/user', token)).status).toBe(200);
    expect((await call('delete', '/api/user', token)).status).toBe(204);
  });
});
