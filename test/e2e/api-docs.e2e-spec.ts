import { DiscoveryService } from '@nestjs/core';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/**
 * Reserved words of TypeScript, Python, Java, Go, C#, Kotlin, Swift, Ruby, PHP and Rust that could be used as operation
 * ids.
 */
const RESERVED =
  'abstract all and any as assert async await base begin bool boolean break byte case catch chan char checked class clone ' +
  'const continue create crate debugger declare def default defer del delete dict do double echo elif else empty end enum ' +
  'eval event except exec explicit export extends extern external fallthrough false file final finally fixed float for ' +
  'foreach from func function global go goto id if impl implements import in include init inline input insteadof int ' +
  'interface internal is isset lambda let list lock long loop map match mod module move mut namespace native new next nil ' +
  'none nonlocal not null number object open operator or out override package params pass print private protected public ' +
  'pub raise range read readonly record ref register repeat require rescue retry return sealed select self set short ' +
  'static string struct super switch synchronized template this throw throws trait transient true try type typeof union ' +
  'unless unsafe until update use using val var virtual void volatile when where while with write yield';
/** Names of released operations. Renaming one breaks generated clients. */
const RELEASED = {
  'POST /api/users': 'registerUser',
  'POST /api/login': 'login',
  'POST /api/refresh': 'refreshTokens',
  'POST /api/logout': 'logout',
  'GET /api/user': 'getOwnUser',
  'PATCH /api/user': 'updateOwnUser',
  'DELETE /api/user': 'deleteOwnUser',
  'PUT /api/user/password': 'changeOwnPassword',
  'GET /api/user/sessions': 'listOwnSessions',
  'DELETE /api/user/sessions': 'endOtherSessions',
  'DELETE /api/user/sessions/{id}': 'endOwnSession',
  'GET /api/users/{id}': 'getUser',
  'PATCH /api/users/{id}': 'updateUser',
  'DELETE /api/users/{id}': 'deleteUser',
  'GET /api/users/{id}/sessions': 'listUserSessions',
  'DELETE /api/users/{id}/sessions': 'endUserSessions',
  'GET /api/users/{id}/factors': 'listUserFactors',
  'GET /api/user/permissions': 'listOwnPermissions',
  'GET /api/users/{id}/holders': 'listUserHolders',
  'GET /api/cluster': 'getCluster',
  'GET /api/cluster/events': 'watchCluster',
  'GET /api/keys': 'listSigningKeys',
  'POST /api/keys': 'rotateSigningKeys',
  'DELETE /api/keys/{kid}': 'withdrawSigningKey',
  'GET /api/roles': 'listRoles',
  'GET /api/roles/{name}': 'getRole',
  'PUT /api/roles/{name}': 'putRole',
  'DELETE /api/roles/{name}': 'deleteRole',
  'GET /api/service-accounts': 'listServiceAccounts',
  'POST /api/service-accounts': 'createServiceAccount',
  'GET /api/service-accounts/{id}': 'getServiceAccount',
  'PATCH /api/service-accounts/{id}': 'updateServiceAccount',
  'DELETE /api/service-accounts/{id}': 'deleteServiceAccount',
  'POST /api/service-accounts/{id}/secrets': 'createClientSecret',
  'DELETE /api/service-accounts/{id}/secrets/{secretId}': 'deleteClientSecret',
  'POST /oauth/token': 'requestToken',
  'POST /oauth/introspect': 'introspectToken',
  'POST /oauth/revoke': 'revokeToken',
  'GET /.well-known/oauth-authorization-server': 'getAuthorizationServerMetadata',
  'GET /.well-known/jwks.json': 'getSigningKeys',
  'GET /health/live': 'getLiveness',
  'GET /health/ready': 'getReadiness',
  'GET /metrics': 'getMetrics',
};

interface DocumentedProblem {
  readonly examples?: Record<string, { value: Record<string, unknown> }>;
}
interface Operation {
  readonly operationId: string;
  readonly 'x-required-permissions'?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: string[];
  readonly security?: Record<string, unknown>[];
  readonly responses: Record<
    string,
    { description: string; content?: Record<string, DocumentedProblem> }
  >;
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

  it('is OpenAPI 3.1 and passes the linter', async () => {
    expect(document.openapi).toBe('3.1.0');
    const folder = mkdtempSync(join(tmpdir(), 'keyslot-openapi-'));
    const file = join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(document));

    // In a separate process, because the linter would block the application, which would shed load.
    const linter = await promisify(execFile)(
      process.execPath,
      [
        'node_modules/@redocly/cli/bin/cli.js',
        'lint',
        '--config',
        'redocly.yaml',
        '--format',
        'json',
        '--max-problems',
        '1000',
        file,
      ],
      {
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      },
    ).catch((failure: { stdout: string }) => failure);
    rmSync(folder, { recursive: true });

    const { problems } = JSON.parse(linter.stdout) as { problems: { message: string }[] };
    expect(problems.map((problem) => problem.message)).toEqual([]);
  });

  it('has unique and stable operation ids, without reserved words', () => {
    const names = operations().map(([method, path, { operationId }]) => [
      `${method.toUpperCase()} ${path}`,
      operationId,
    ]);
    const ids = names.map(([, id]) => id!);

    expect(Object.fromEntries(names)).toMatchObject(RELEASED);
    expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z]+(?:[A-Z][a-z]+)*$/.test(id))).toEqual([]);
    expect(ids.filter((id) => RESERVED.split(' ').includes(id.toLowerCase()))).toEqual([]);
  });

  it('has an explicit id for each Keyslot operation', () => {
    const controllers = api.app.get(DiscoveryService).getControllers();
    const subjects = controllers
      .map(({ name }) => String(name).replace(/Controller$/, ''))
      .map((name) => new RegExp(`^${name}[A-Z]`, 'i'));

    const ruled = operations().filter(([, , { operationId }]) =>
      subjects.some((subject) => subject.test(operationId)),
    );

    expect(ruled.map(([, , { operationId }]) => operationId)).toEqual([]);
  });

  it('names the permissions of each route, for readers and for programs', async () => {
    const { tokens } = await api.newUser();
    // A logout would end the session.
    const asked = operations().filter(([, , { operationId }]) => operationId !== 'logout');
    for (const [method, path, operation] of asked) {
      const url = path.replace(/\{[^}]+\}/, randomUUID());
      const options = { token: tokens.access_token };
      const { status } = await api.request(method.toUpperCase(), url, options);
      const needs = operation['x-required-permissions'] ?? [];

      expect([method, path, status === 403]).toEqual([method, path, needs.length > 0]);
      for (const permission of needs) {
        expect(operation.description).toContain(`Requires the permission \`${permission}\`.`);
        expect(operation.responses['403']!.description).toContain(permission);
      }
    }
  });

  it('shows errors as they are returned', async () => {
    const shown = (operation: Operation, status: number): Record<string, unknown>[] =>
      Object.values(
        operation.responses[status]?.content?.['application/problem+json']?.examples ?? {},
      ).map(({ value }) => value);
    const { tokens } = await api.newUser();
    const withProblems = operations().filter(([, path]) => !path.startsWith('/oauth/'));
    for (const [method, path, operation] of withProblems) {
      // The id that the examples use as path parameter.
      const url = path.replace(/\{[^}]+\}/g, '0c0d2a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1');
      const isPublic = operation.security !== undefined;
      const requests: object[] = isPublic && operation.requestBody ? [] : [{}];
      if (operation.requestBody && !operation['x-required-permissions']) {
        const token = tokens.access_token;
        requests.push({ token, body: '{' }, { token, body: { ...example(operation), unknown: 1 } });
      }
      for (const request of requests) {
        const { status, body } = await api.request(method.toUpperCase(), url, request);
        if (status >= 400) {
          const answered = { ...body, requestId: expect.any(String) };
          expect(shown(operation, status)).toContainEqual(answered);
        }
      }
    }
  });

  it('shows the error of a query as it is returned', async () => {
    const admin = await startTestApp(WITH_ADMINISTRATOR);
    const { access_token: token } = (await admin.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME))
      .body;

    const { status, body } = await admin.request('GET', '/api/users?limit=0', { token });
    await admin.close();

    const { content } = document.paths['/api/users']!['get']!.responses[status]!;
    const { value } = content!['application/problem+json']!.examples!['invalid-request']!;
    expect(value).toEqual({ ...body, requestId: expect.any(String) });
  });

  it('describes each route in a sentence, and assigns it to a group', () => {
    for (const [method, path, operation] of operations()) {
      expect({ method, path, ...operation }).toMatchObject({
        summary: expect.stringMatching(/\S/),
        description: expect.stringMatching(/\S/),
        tags: [expect.stringMatching(/\S/)],
      });
    }
  });

  it('documents which routes need a token: exactly these answer 401 without one (101)', async () => {
    for (const [method, path, { operationId, security, responses }] of operations()) {
      // A route that accepts a credential in the body answers 401 if neither is sent. Anybody can register without a token.
      const isPublic =
        operationId === 'registerUser' ||
        (security?.every((choice) => Object.keys(choice).length === 0) ?? false);
      const { status } = await api.request(method.toUpperCase(), path, {
        headers: { 'content-type': 'application/json' },
      });
      expect({ method, path, denied: status === 401 }).toEqual({ method, path, denied: !isPublic });
      expect(Object.keys(responses)).toContain(String(status));
    }
  });

  it('lists every status that an invalid body causes', async () => {
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

  it('has examples that work unchanged, from registration to account deletion', async () => {
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
