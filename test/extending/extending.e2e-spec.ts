import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { eventually } from '../support/own-cluster.js';
import { Instance } from '../support/instance.js';

const MOST_LINES = 40;
const SNIPPET = /^```\w+\n\/\/ (\S+)\n([\s\S]*?)^```$/gm;
const LONGEST_MS = 120_000;

/** docs/extending.md, followed to the letter, but that the packages it wants are those that are here already. */
describe('an application that extends Keyslot', () => {
  let project: string;
  let instances: Instance[];
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'keyslot-extending-'));
    for (const [name, text] of snippets()) {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), text);
    }
    installPacked(project);
    runs(process.execPath, 'node_modules/typescript/bin/tsc');
  }, LONGEST_MS);
  afterAll(() => rmSync(project, { recursive: true, force: true }));
  beforeEach(() => (instances = []));
  afterEach(async () => {
    await Promise.all(instances.map(async (instance) => instance.stop()));
  });

  const runs = (command: string, ...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, encoding: 'utf8' });
    expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' });
    return stdout;
  };
  const start = async (program: string, variables: Record<string, string>): Promise<Instance> => {
    const instance = await Instance.start(variables, join(project, 'dist', program));
    instances.push(instance);
    return instance;
  };
  const newPrefix = (): { REDIS_KEY_PREFIX: string } => ({
    REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:`,
  });

  it('has a guarded module in few lines', () => {
    const lines = snippets().get('src/notes.module.ts')!.trimEnd().split('\n');

    expect(lines.length).toBeLessThanOrEqual(MOST_LINES);
  });

  it('guards, checks and documents the routes of its module, and what it remembers is never old', async () => {
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
    // At once, though it remembered that there was none.
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

  it('puts its own hasher and its own audit sink in the place of ours', async () => {
    const file = join(project, 'audit.ndjson');
    const instance = await start('replaced.js', { ...newPrefix(), AUDIT_FILE: file });

    const user = await instance.newUser();

    expect((await instance.login(user.username, 'not the password at all')).status).toBe(401);
    const types = (): unknown[] =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type);
    await eventually('both events are there', 5000, () => Promise.resolve(types().length === 2));
    expect(types()).toEqual(['logged-in', 'login-refused']);
    expect(instance.output()).not.toContain('logged-in');
  });

  it('proves its adapters by our contracts', () => {
    expect(runs(process.execPath, '--test', 'dist/adapters.test.js')).toMatch(/^# fail 0$/m);
  });

  it('may be one that takes our modules and leaves the rest', async () => {
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

/** What docs/extending.md says is in which file. */
function snippets(): ReadonlyMap<string, string> {
  const page = readFileSync('docs/extending.md', 'utf8');
  return new Map(Array.from(page.matchAll(SNIPPET), ([, name, text]) => [name!, text!]));
}

/** What `npm install` does, without a registry: the packed tarball, and beside it the packages of this project. */
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
  for (const name of withAllTheyNeed([...Object.keys(dependencies), ...others])) {
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

/** What a package manager would install for these, of what is here: a package that we forgot to name is missing there. */
function withAllTheyNeed(names: readonly string[]): ReadonlySet<string> {
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
    const peers = Object.keys(peerDependencies).filter((peer) => !meta[peer]?.optional);
    [...Object.keys(dependencies), ...peers].forEach(add);
  };
  names.forEach(add);
  found.delete('keyslot');
  return found;
}
