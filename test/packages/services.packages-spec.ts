import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { freePort } from '../support/free-port.js';
import { Instance } from '../support/instance.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { documentedProgram, packTarball, run, ServiceProject } from '../support/packed-services.js';

const REDIS_PASSWORD = 'the password of a test, and of nothing else';
const TIMEOUT_MS = 300_000;
const NEST = ['common', 'core', 'platform-express', 'passport', 'testing'];
const nestOf = (line: number): string[] => [
  ...NEST.map((name) => `@nestjs/${name}@^${line}.0.0`),
  'reflect-metadata@^0.2.2',
  'rxjs@^7.8.1',
];

/** Work of the process itself: its lease, its clock, its entry in the registry, and the replicas that confirm them. */
const OWN_WORK = /call="(?:renew-inbox\.lua|report-instance\.lua|time|cluster nodes)"/;
/** What a service reports about itself. It is not in the documented programs. */
const REPORT = `
async function reportOf(metrics) {
  process.report.excludeNetwork = true;
  const { sharedObjects } = process.report.getReport();
  return {
    calls: (await metrics.metrics()).match(/^keyslot_redis_call_duration_seconds_count.*$/gm),
    natives: sharedObjects.filter((path) => path.endsWith('.node')),
  };
}
`;
const READY = 'console.log(`  API         http://127.0.0.1:${process.env.PORT}/api `);\n';

interface Report {
  readonly calls: readonly string[];
  readonly natives: readonly string[];
}

describe('a service of another team, from the packed tarball', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyslot-packed-'));
  const services = new Map<string, Instance>();
  let plain: ServiceProject;
  let nest11: ServiceProject;
  let nest12: ServiceProject;
  let own: OwnCluster;
  let keyslot: Instance;
  let orders: { REDIS_NODES: string; REDIS_USERNAME: string; REDIS_PASSWORD: string };

  const createUser = async (username: string, ...options: string[]): Promise<void> => {
    const printed = execFileSync(
      process.execPath,
      [resolve('dist/cli.js'), 'redis-acl', ...options],
      {
        cwd: tmpdir(), // without .env
        env: { PATH: process.env['PATH'], REDIS_USERNAME: username, REDIS_PASSWORD },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const [command, ...args] = printed.trim().split(' ');
    for (const { port } of own.cluster.addresses) {
      await own.cluster.call(port, command!, ...args);
    }
  };
  const start = async (name: string, program: string): Promise<void> => {
    const variables = { PORT: String(await freePort()), KEY_ENCRYPTION_SECRET: '' };
    services.set(name, await Instance.start({ ...variables, ...orders }, program));
  };

  const startKeyslot = async (): Promise<void> => {
    own = await startOwnCluster();
    await createUser('keyslot');
    await createUser('orders', '--guard');
    const { REDIS_NODES } = own.variables;
    orders = { REDIS_NODES, REDIS_USERNAME: 'orders', REDIS_PASSWORD };
    keyslot = await Instance.start({
      ...orders,
      REDIS_USERNAME: 'keyslot',
      REDIS_KEY_PREFIX: 'ks:',
      JWT_AUDIENCE: 'keyslot,orders',
      BOOTSTRAP_ADMIN_USERNAME: 'the-administrator',
      BOOTSTRAP_ADMIN_PASSWORD: REDIS_PASSWORD,
    });
  };
  const createProjects = async (): Promise<void> => {
    const tarball = await packTarball(folder);
    const create = async (name: string, type: 'commonjs' | 'module', packages: string[]) =>
      ServiceProject.create(join(folder, name), type, [tarball, ...packages]);
    [plain, nest11, nest12] = await Promise.all([
      create('plain', 'module', ['express@^5.0.0', 'fastify@^5.0.0']),
      create('nest11', 'commonjs', nestOf(11)),
      create('nest12', 'module', nestOf(12)),
    ]);
  };

  beforeAll(async () => {
    await Promise.all([startKeyslot(), createProjects()]);
    expect(plain.packages).not.toContain('@nestjs');

    plain.write('src/typed.ts', TYPED);
    await plain.compile({ module: 'nodenext', noEmit: true });
    await plain.compile({ module: 'esnext', moduleResolution: 'bundler', noEmit: true });
    for (const name of ['express', 'fastify']) {
      const text = documentedProgram(`import ${name} from '${name}'`)
        .replace(/^(?=await app\.listen|const server = app\.listen)/m, `${reportRoute(name)}\n`)
        .replace(
          'const server = app.listen(process.env.PORT);',
          `const server = app.listen(process.env.PORT, '127.0.0.1');
          await new Promise((done) => server.once('listening', done));`,
        );
      await start(name, plain.write(`${name}.js`, REPORT + text + READY));
    }
    for (const [project, extension] of [
      [nest11, ''],
      [nest12, '.js'],
    ] as const) {
      project.write('src/app.module.ts', nestModule(extension));
      project.write('src/report.controller.ts', REPORT_CONTROLLER);
      project.write('src/main.ts', nestMain(extension));
    }
    // Like `nest new`: declarations of Nest need types that are not installed.
    const skipLibCheck = true;
    await nest11.compile({ module: 'nodenext', noEmit: true, skipLibCheck });
    await nest11.compile({
      module: 'esnext',
      moduleResolution: 'bundler',
      noEmit: true,
      skipLibCheck,
    });
    await nest11.compile({
      module: 'commonjs',
      moduleResolution: 'node10',
      ignoreDeprecations: '6.0',
      esModuleInterop: true,
      skipLibCheck,
    });
    await nest12.compile({ module: 'nodenext', skipLibCheck });
    await start('Nest 11 on Express, CommonJS', join(nest11.folder, 'dist/main.js'));
    await start('Nest 12 on Express, ES modules', join(nest12.folder, 'dist/main.js'));
  }, TIMEOUT_MS);
  afterAll(async () => {
    await Promise.all([...services.values(), keyslot].map(async (one) => one.stop()));
    // Also shows that Redis has refused none of their commands.
    await own.remove();
    rmSync(folder, { recursive: true });
  });

  const NAMES = [
    'express',
    'fastify',
    'Nest 11 on Express, CommonJS',
    'Nest 12 on Express, ES modules',
  ];
  /** A user who may read orders. */
  const newReader = async () => {
    const { body } = await keyslot.login('the-administrator', REDIS_PASSWORD);
    const { access_token: token } = body;
    const role = { permissions: ['orders:read'] };
    await keyslot.request('PUT', '/api/roles/reader', { token, body: role });
    const user = await keyslot.newUser();
    const roles = { roles: ['reader'] };
    const { status } = await keyslot.request('PATCH', `/api/users/${user.id}`, {
      token,
      body: roles,
    });
    expect(status).toBe(200);
    return user;
  };

  describe.each(NAMES)('%s', (name) => {
    const get = async (path: string, token?: string) =>
      services.get(name)!.request('GET', path, token === undefined ? {} : { token });
    const report = async (token: string): Promise<Report> =>
      (await services.get(name)!.request<Report>('GET', '/report', { token })).body;

    it('accepts a token, and refuses it at the first request after the logout was answered', async () => {
      const { username, tokens } = await newReader();
      const { access_token: token } = tokens;
      await eventually('the service has joined', 20_000, async () =>
        get('/orders', token).then(({ status }) => status !== 503),
      );

      for (let count = 0; count < 3; count += 1) {
        const { status, body } = await get('/orders', token);
        expect([status, body]).toEqual([200, { customer: username }]);
      }
      expect((await keyslot.logout(token)).status).toBe(204);
      const { status, headers } = await get('/orders', token);
      expect([status, headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer realm="keyslot", error="invalid_token"',
      ]);
    });

    it('refuses a request without a token, and a user without the permission', async () => {
      const { tokens } = await keyslot.newUser();

      const { status, headers } = await get('/orders');
      expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="keyslot"']);
      expect((await get('/orders', 'e30.e30.c2ln')).status).toBe(401);
      expect((await get('/orders', tokens.access_token)).status).toBe(403);
    });

    it('asks Redis nothing about a token that it knows', async () => {
      const { tokens } = await newReader();
      const { access_token: token } = tokens;
      expect((await get('/orders', token)).status).toBe(200);
      const calls = async (): Promise<string[]> =>
        (await report(token)).calls.filter((line) => !OWN_WORK.test(line));
      const before = await calls();
      expect(before.join()).toContain('use-session');

      for (let count = 0; count < 100; count += 1) {
        expect((await get('/orders', token)).status).toBe(200);
      }
      expect(await calls()).toEqual(before);
    });

    it('has no route of Keyslot, and has not loaded argon2', async () => {
      const { tokens } = await newReader();
      const { access_token: token } = tokens;
      const paths = ['/api/user', '/metrics', '/health/live', '/.well-known/jwks.json', '/docs'];

      const answers = await Promise.all(paths.map(async (path) => get(path, token)));
      expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 404));
      const login = await services.get(name)!.request('POST', '/api/login', { token, body: {} });
      expect(login.status).toBe(404);
      expect((await report(token)).natives.filter((path) => path.includes('argon2'))).toEqual([]);
    });
  });

  it('refuses tokens for other services only', async () => {
    const { tokens } = await newReader();
    const text = readFileSync(join(plain.folder, 'express.js'), 'utf8');
    const program = plain.write(
      'billing.js',
      text.replace("audience: 'orders'", "audience: 'billing'"),
    );
    await start('billing', program);

    const answer = await services
      .get('billing')!
      .request('GET', '/orders', { token: tokens.access_token });
    expect(answer.status).toBe(401);
    expect((await keyslot.ownUser(tokens.access_token)).status).toBe(200);
  });

  it('closes a long-lived connection when its session ends', async () => {
    const { tokens } = await newReader();
    const { url } = services.get('fastify')!;
    const stream = await fetch(`${url}/stream`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(stream.status).toBe(200);

    await keyslot.logout(tokens.access_token);

    expect(await stream.text()).toBe('open ended');
  });

  it('is tested with CommonJS Jest, with the guard replaced, and without Redis', async () => {
    nest11.write('guard.spec.js', JEST_TEST);
    const config = { rootDir: nest11.folder, testMatch: ['**/guard.spec.js'], transform: {} };

    const jest = resolve('node_modules/jest/bin/jest.js');
    await run(process.execPath, [jest, '--config', JSON.stringify(config)], nest11.folder);
  });
});

function reportRoute(name: string): string {
  return name === 'express'
    ? "app.get('/report', async (_, response) => response.json(await reportOf(keyslot)));"
    : `app.get('/report', async () => reportOf(keyslot));
app.get('/stream', (request, reply) => {
  reply.hijack();
  reply.raw.write('open ');
  keyslot.onAccessEnd(request.user, (why) => reply.raw.end(why));
});`;
}

function nestModule(extension: string): string {
  return `import { ReportController } from './report.controller${extension}';
${documentedProgram('KeyslotGuardModule').replace('[OrdersController]', '[OrdersController, ReportController]')}`;
}

function nestMain(extension: string): string {
  return `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module${extension}';

async function bootstrap() {
  const app = await NestFactory.create(AppModule, { logger: false });
  app.enableShutdownHooks();
  await app.listen(process.env.PORT!, '127.0.0.1');
  ${READY}}
void bootstrap();
`;
}

const REPORT_CONTROLLER = `import { Controller, Get } from '@nestjs/common';
import { MetricsRegistry } from 'keyslot/guard';

@Controller('report')
export class ReportController {
  constructor(private readonly metrics: MetricsRegistry) {}

  @Get() report() {
    return reportOf(this.metrics);
  }
}
${REPORT.replace('(metrics)', '(metrics: MetricsRegistry)').replace('process.report;', 'process.report!;').replaceAll('process.report.', '(process.report as any).').replace('(path)', '(path: string)')}`;

const TYPED = `
import { connectKeyslot, KeyslotError, type Keyslot, type Principal } from 'keyslot/connect';
import type { IncomingMessage } from 'node:http';

export async function nameOf(keyslot: Keyslot, request: IncomingMessage): Promise<string> {
  const principal: Principal = await keyslot.authenticate(request);
  return principal.kind === 'user' ? principal.user.username : principal.clientId;
}
// @ts-expect-error: the audience is missing
export const connect = async () => connectKeyslot({ redis: { nodes: ['10.0.0.1:6379'] } });
export const statusOf = (error: unknown) => error instanceof KeyslotError && error.status;
`;

const JEST_TEST = `
const { Test } = require('@nestjs/testing');
const { JwtAuthGuard } = require('keyslot/guard');
const { connectKeyslot } = require('keyslot/connect');
const { AppModule } = require('./dist/app.module');

it('has no guard', async () => {
  process.env.REDIS_NODES = '127.0.0.1:1';
  process.env.REDIS_PASSWORD = 'none';
  const guard = {
    canActivate(context) {
      context.switchToHttp().getRequest().user = {
        kind: 'user',
        user: { username: 'ada', roles: ['admin'] },
      };
      return true;
    },
  };
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(JwtAuthGuard)
    .useValue(guard)
    .compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  const answer = await fetch((await app.getUrl()) + '/orders');
  expect([answer.status, await answer.json()]).toEqual([200, { customer: 'ada' }]);
  await app.close();
});

it('loads the connection of plain services', async () => {
  await expect(connectKeyslot({ redis: { nodes: [] } })).rejects.toThrow('redis.nodes');
});
`;
