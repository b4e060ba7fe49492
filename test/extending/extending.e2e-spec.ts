import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';

import { Database } from '../support/database.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { dumpKeys } from '../support/redis.js';
import { eventually } from '../support/own-cluster.js';
import { Instance } from '../support/instance.js';
import { challengeOf } from '../support/second-factors.js';

const SNIPPET = /^```\w+\n\/\/ (\S+)\n([\s\S]*?)^```$/gm;
const TEST_TIMEOUT_MS = 120_000;

/** Follows docs/extending.md step by step, with the installed packages of this project. */
describe('an application that extends Keyslot', () => {
  let project: string;
  let database: Database;
  let instances: Instance[];
  beforeAll(async () => {
    project = mkdtempSync(join(tmpdir(), 'keyslot-extending-'));
    for (const [name, text] of snippets()) {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), text);
    }
    installPacked(project);
    await runs({}, process.execPath, 'node_modules/typescript/bin/tsc');
    database = await Database.start();
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await database.stop();
    rmSync(project, { recursive: true, force: true });
  });
  beforeEach(() => (instances = []));
  afterEach(async () => {
    await Promise.all(instances.map(async (instance) => instance.stop()));
  });

  /** Runs in a separate process, so that the database in this process can answer. @returns its output */
  const runs = async (
    variables: Record<string, string>,
    command: string,
    ...args: string[]
  ): Promise<string> => {
    const env = { ...process.env, ...variables };
    const run = promisify(execFile)(command, args, { cwd: project, env });
    return run.then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => {
        throw new Error(`${stdout}${stderr}`);
      },
    );
  };
  const start = async (program: string, variables: Record<string, string>): Promise<Instance> => {
    const instance = await Instance.start(variables, join(project, 'dist', program));
    instances.push(instance);
    return instance;
  };
  const newPrefix = (): { REDIS_KEY_PREFIX: string } => ({
    REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:`,
  });

  it('guards, validates and documents the routes of its module, and its cached data is never stale', async () => {
    const prefix = newPrefix();
    const [one, other] = await Promise.all([start('main.js', prefix), start('main.js', prefix)]);
    const { tokens } = await one.newUser();
    const stranger = await other.newUser();
    const token = tokens.access_token;
    const list = async (at: Instance, as = token): Promise<unknown> =>
      (await at.request('GET', '/api/notes', { token: as })).body;

    expect((await one.request('GET', '/api/notes')).status).toBe(401);
    for (const instance of [one, other]) {
      expect(await list(instance)).toEqual({ items: [] });
    }
    const body = { text: 'milk' };
    expect((await one.request('POST', '/api/notes', { token, body })).status).toBe(201);
    // At once, although it had cached the empty list.
    expect(await list(other)).toEqual({ items: ['milk'] });
    expect(await list(other, stranger.tokens.access_token)).toEqual({ items: [] });

    const refused = await one.request('POST', '/api/notes', { token, body: { text: '' } });
    expect(refused).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', errors: [{ pointer: '/text', code: 'too-short' }] },
    });
    const docs = await one.request('GET', '/docs-json');
    expect(Object.keys(docs.body['paths'] as object)).toContain('/api/notes');

    await one.logout(token);
    expect((await other.request('GET', '/api/notes', { token })).status).toBe(401);
  });

  it('runs in several workers, and data that one of them has cached is never stale', async () => {
    const instance = await start('main.js', { ...newPrefix(), WORKERS: '2' });
    const { tokens } = await instance.newUser();
    const headers = { connection: 'close' };
    const token = tokens.access_token;

    for (const text of ['milk', 'eggs', 'bread']) {
      await instance.request('POST', '/api/notes', { token, headers, body: { text } });
      // New connections go to the workers in turn.
      const lists = await Promise.all(
        Array.from({ length: 4 }, async () =>
          instance.request('GET', '/api/notes', { token, headers }),
        ),
      );
      for (const { status, body } of lists) {
        expect({ status, newest: (body['items'] as string[]).at(-1) }).toEqual({
          status: 200,
          newest: text,
        });
      }
    }
  });

  describe('with plugins, a WebSocket adapter and a prefix', () => {
    let one: Instance;
    let other: Instance;
    beforeAll(async () => {
      const variables = { ...newPrefix(), LOG_LEVEL: 'info' };
      const program = join(project, 'dist', 'configured.js');
      [one, other] = await Promise.all([
        Instance.start(variables, program),
        Instance.start(variables, program),
      ]);
    }, TEST_TIMEOUT_MS);
    afterAll(async () => Promise.all([one.stop(), other.stop()]));

    const headers = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    const socketTo = async (instance: Instance, token: string): Promise<WebSocket> => {
      const socket = new WebSocket(`ws://${new URL(instance.url).host}/ticks`, headers(token));
      await once(socket, 'message');
      return socket;
    };
    const ticksOf = async (instance: Instance, token: string): Promise<Response> => {
      const response = await fetch(`${instance.url}/api/ticks`, headers(token));
      expect(response.status).toBe(200);
      return response;
    };
    /** Reads the first event of a stream. @returns a function that reads the rest */
    const readTick = async (stream: Response): Promise<() => Promise<void>> => {
      const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (!text.includes('data: 0')) {
        text += (await reader.read()).value!;
      }
      return async () => {
        while (!(await reader.read()).done);
      };
    };

    it('ends streams and sockets when their session ends on another instance, and no others', async () => {
      const user = await one.newUser();
      const token = user.tokens.access_token;
      const { body: another } = await one.login(user.username);
      const remaining = await socketTo(one, another.access_token);
      const socket = await socketTo(one, token);
      const untilItsEnd = await readTick(await ticksOf(one, token));
      const closed = once(socket, 'close');

      expect((await other.logout(token)).status).toBe(204);

      await untilItsEnd();
      expect((await closed).map(String)).toEqual(['4401', 'ended']);
      expect((await fetch(`${one.url}/api/ticks`, headers(token))).status).toBe(401);
      await once(remaining, 'message');
      remaining.close();
    });

    it('refuses a socket without a token', async () => {
      const socket = new WebSocket(`ws://${new URL(one.url).host}/ticks`);

      const [, response] = (await once(socket, 'unexpected-response')) as [
        unknown,
        IncomingMessage,
      ];
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer realm="keyslot"');
    });

    it('accepts the content types of its plugins, and keeps unprefixed routes outside of the prefix', async () => {
      const { tokens, id } = await one.newUser();
      const { origin } = new URL(one.url);
      const form = new FormData();
      form.set('file', new Blob(['four']), 'notes.txt');

      const uploaded = await fetch(`${one.url}/api/uploads`, {
        method: 'POST',
        body: form,
        ...headers(tokens.access_token),
      });

      expect(one.url).toBe(`${origin}/v1`);
      expect([uploaded.status, await uploaded.json()]).toEqual([
        201,
        { name: 'notes.txt', bytes: 4 },
      ]);
      for (const path of ['health/ready', 'metrics', 'docs-json', '.well-known/jwks.json']) {
        expect([path, (await fetch(`${origin}/${path}`)).status]).toEqual([path, 200]);
      }
      const refused = await one.request('GET', '/api/user');
      expect(refused.body).toMatchObject({ type: '/problems/missing-token' });
      expect((await fetch(new URL(String(refused.body['type']), origin))).status).toBe(200);
      const own = await one.ownUser(tokens.access_token);
      expect([own.body['id'], own.headers.get('cache-control')]).toEqual([id, 'no-store']);
      const registered = await one.register(`user-${randomUUID()}`);
      expect(registered.headers.get('location')).toBe(`/v1/api/users/${registered.body.id}`);
    });

    it('validates its own routes with its own options, and our routes as before', async () => {
      const { tokens } = await one.newUser();
      const list = async (query: string, language = 'en') =>
        one.request<{ errors?: unknown }>('GET', `/api/uploads?${query}`, {
          token: tokens.access_token,
          headers: { 'accept-language': language },
        });

      expect(await list('size=3&utm_source=mail')).toMatchObject({
        status: 200,
        body: { size: 3 },
      });
      expect((await list('size=-1.5', 'zh')).body.errors).toEqual([
        { pointer: '/size', code: 'isInt', detail: '必须是整数。' },
        { pointer: '/size', code: 'min', detail: '不得小于 1。' },
      ]);
      const body = { username: 12345678, password: true, extra: 1 };
      expect((await one.request('POST', '/api/users', { body })).body['errors']).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ pointer: '/username', code: 'not-a-string' }),
          expect.objectContaining({ pointer: '/password', code: 'not-a-string' }),
          expect.objectContaining({ pointer: '/extra', code: 'unknown-member' }),
        ]),
      );
    });

    it('stops with code 0 while streams and sockets are open, and closes them', async () => {
      const { tokens } = await other.newUser();
      const closed = once(await socketTo(other, tokens.access_token), 'close');
      const stream = await ticksOf(other, tokens.access_token);

      await other.stop();

      expect(other.exitCode).toBe(0);
      // Both close without an error, so that clients reconnect.
      await Promise.all([stream.text(), closed]);
      expect(other.output()).toContain('"msg":"stopping"');
    });
  });

  it('replaces the password hasher and the audit sink', async () => {
    const file = join(project, 'audit.ndjson');
    const instance = await start('replaced.js', { ...newPrefix(), AUDIT_FILE: file });

    const user = await instance.newUser();

    expect((await instance.login(user.username, 'not the password at all')).status).toBe(401);
    const types = (): unknown[] =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type);
    await eventually('all events are there', 5000, () => Promise.resolve(types().length === 4));
    expect(types()).toEqual([
      'signing-key-created',
      'user-registered',
      'logged-in',
      'login-refused',
    ]);
    expect(instance.output()).not.toContain('logged-in');
  });

  it('adds a second factor, whose proofs count once', async () => {
    const instance = await start('replaced.js', newPrefix());
    const { username, tokens } = await instance.newUser();
    const { access_token: token } = tokens;
    const secret = Buffer.from('12345678901234567890').toString('hex');
    const add = async (code: string): Promise<number> => {
      const options = { token, body: { secret, code } };
      return (await instance.request('POST', '/api/user/factors/hardware-tokens', options)).status;
    };
    expect(await add('000000')).toBe(400);
    expect((await instance.login(username)).status).toBe(200);
    // RFC 4226, appendix D.
    expect(await add('755224')).toBe(204);

    const { challenge, factors } = await challengeOf(instance, username);
    expect(factors).toEqual(['hardware-token']);
    const finish = async (proof: unknown, factor = 'hardware-token'): Promise<number> => {
      const body = { challenge, factor, proof };
      return (await instance.request('POST', '/api/login/second-factor', { body })).status;
    };
    expect(await finish('755224')).toBe(401);
    expect(await finish('287082', 'unknown')).toBe(401);
    expect(await finish(undefined)).toBe(400);
    expect(await finish('287082')).toBe(200);
    const raise = async (proof: string): Promise<number> => {
      const options = { token, body: { factor: 'hardware-token', proof } };
      return (await instance.request('POST', '/api/user/reauthentication', options)).status;
    };
    expect([await raise('287082'), await raise('359152')]).toEqual([401, 200]);
    const list = await instance.request('GET', '/api/user/factors', { token });
    expect(list.body).toMatchObject({ items: [{ type: 'hardware-token' }] });
  });

  it('receives events, without delaying requests', async () => {
    const instance = await start('replaced.js', newPrefix());
    const body = {
      username: 'grace',
      password: 'nanoseconds of copper wire',
      email: 'grace@example.com',
    };

    expect((await instance.request('POST', '/api/users', { body })).status).toBe(201);

    await eventually('the listener has heard', 5000, () =>
      Promise.resolve(instance.output().includes('Here a mail goes to grace@example.com')),
    );
  });

  it('keeps its users in its own database, and access removed from them is revoked everywhere at once', async () => {
    const prefix = newPrefix();
    const variables = { ...prefix, ...WITH_ADMINISTRATOR, DATABASE_URL: database.url };
    const one = await start('sql-main.js', variables);
    const other = await start('sql-main.js', variables);
    const { body: admin } = await one.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const user = await one.newUser();
    const token = user.tokens.access_token;
    const change = async (body: object): Promise<number> =>
      (await other.request('PATCH', `/api/users/${user.id}`, { token: admin.access_token, body }))
        .status;
    const rolesOn = async (at: Instance): Promise<unknown> =>
      (await at.ownUser(token)).body['roles'];

    expect(await change({ roles: ['admin'] })).toBe(200);
    expect([await rolesOn(one), await rolesOn(other)]).toEqual([['admin'], ['admin']]);
    expect(await change({ roles: [] })).toBe(200);
    expect([await rolesOn(one), await rolesOn(other)]).toEqual([[], []]);

    const rows = await database.query('select username, password_hash from users where id = $1', [
      user.id,
    ]);
    expect(rows).toEqual([
      { username: user.username, password_hash: expect.stringMatching(/^\$argon2id\$/) },
    ]);
    const { values } = await dumpKeys(prefix.REDIS_KEY_PREFIX);
    expect(JSON.stringify(values)).toContain(user.username);
    expect(JSON.stringify(values)).not.toContain('argon2');

    const list = async (query: string): Promise<unknown> =>
      (await other.request('GET', `/api/users?${query}`, { token: admin.access_token })).body;
    const listed = { items: [expect.objectContaining({ id: user.id })], nextCursor: null };
    expect(await list(`q=${user.username.toUpperCase()}&disabled=false`)).toEqual(listed);
    expect(await list(`q=${user.username}&role=admin`)).toEqual({ items: [], nextCursor: null });

    expect(await change({ disabled: true })).toBe(200);
    expect([(await one.ownUser(token)).status, (await other.ownUser(token)).status]).toEqual([
      401, 401,
    ]);
  });

  it('reads changes in the database at a refresh, and keeps working without the database', async () => {
    const instance = await start('sql-main.js', { ...newPrefix(), DATABASE_URL: database.url });
    const { id, username, tokens } = await instance.newUser();
    const token = tokens.access_token;
    await database.query('update users set display_name = $2 where id = $1', [id, 'Grace']);

    const refreshed = await instance.refresh(tokens.refresh_token);

    expect(refreshed.status).toBe(200);
    expect((await instance.ownUser(token)).body).toMatchObject({ displayName: 'Grace' });
    await database.shutDown();
    expect((await instance.ownUser(token)).status).toBe(200);
    expect(await instance.login(username)).toMatchObject({
      status: 503,
      body: { code: 'store-unavailable' },
    });
    await instance.logout(token);
    expect((await instance.ownUser(token)).status).toBe(401);
    await database.stop();
    database = await Database.start();
  });

  it('tests its adapters with our contracts', async () => {
    const variables = { DATABASE_URL: database.url };
    const said = await runs(variables, process.execPath, '--test', 'dist/adapters.test.js');
    expect(said).toMatch(/^# fail 0$/m);
    expect(said).toMatch(/gives a name to exactly one of many/);
    expect(said).toMatch(/lists every user after concurrent registrations and changes/);
  });

  it('can import some of our modules without the others', async () => {
    const instance = await start('own-app.js', newPrefix());

    const user = await instance.newUser();

    const { access_token: token } = user.tokens;
    expect((await instance.request('GET', '/api/notes', { token })).status).toBe(200);
    expect((await instance.register('ada', 'nineteen characters')).body).toMatchObject({
      code: 'invalid-request',
    });
    await instance.logout(token);
    expect((await instance.request('GET', '/api/notes', { token })).status).toBe(401);
  });
});

/** The files in docs/extending.md. */
function snippets(): ReadonlyMap<string, string> {
  const page = readFileSync('docs/extending.md', 'utf8');
  return new Map(Array.from(page.matchAll(SNIPPET), ([, name, text]) => [name!, text!]));
}

/** Installs like `npm install`, without a registry: the packed tarball, next to the packages of this project. */
function installPacked(project: string): void {
  const pack = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', project];
  expect(spawnSync('npm', pack, { encoding: 'utf8' })).toMatchObject({ status: 0 });
  const [tarball] = readdirSync(project).filter((name) => name.endsWith('.tgz'));
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(project, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  expect(dependencies['keyslot']).toBe(`file:${tarball}`);
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'keyslot'), { recursive: true });
  const others = ['keyslot', ...Object.keys(devDependencies)];
  for (const name of withDependencies([...Object.keys(dependencies), ...others])) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(resolve('node_modules', name), join(modules, name));
  }
  const unpack = ['-xzf', tarball!, '--strip-components=1', '-C', 'node_modules/keyslot'];
  expect(spawnSync('tar', unpack, { cwd: project })).toMatchObject({ status: 0 });
}

interface Needs {
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/** The packages that a package manager would install: a missing dependency of ours is missing there as well. */
function withDependencies(names: readonly string[]): ReadonlySet<string> {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, Needs>;
  };
  const found = new Set<string>();
  const add = (name: string): void => {
    const isOurs = name === 'keyslot';
    const needs = packages[isOurs ? '' : `node_modules/${name}`];
    if (!needs || found.has(name)) {
      return;
    }
    found.add(name);
    const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta: meta = {} } = needs;
    // All of ours are optional in a tarball: src/setup/pack.js.
    const peers = isOurs
      ? []
      : Object.keys(peerDependencies).filter((peer) => !meta[peer]?.optional);
    [...Object.keys(dependencies), ...peers].forEach(add);
  };
  names.forEach(add);
  found.delete('keyslot');
  return found;
}
