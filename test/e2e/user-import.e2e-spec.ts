import { spawn } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { Origin } from '../../src/common/origin/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { DirectoryIndex } from '../../src/users/directory/directory-index.js';
import { OneTimeTokens } from '../../src/users/account-mails/one-time-tokens.js';
import { UserExport, UsersService } from '../../src/users/index.js';
import { ACCOUNTS, type Accounts } from '../../src/users/store/accounts.js';
import {
  asOperator,
  CLI,
  commandEnvironment,
  runCommand,
  type CommandResult,
} from '../support/command.js';
import { confirmReset, NEW_PASSWORD } from '../support/mails.js';
import { eventually } from '../support/own-cluster.js';
import { keysByMaster, withRedis } from '../support/redis.js';
import { startShippedApp, type TestApp } from '../support/test-app.js';

const IMPORTS = resolve('test/support/imports');
const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

interface Refused {
  readonly line?: number;
  readonly element?: number;
  readonly key?: string;
  readonly username?: string;
  readonly reason: string;
}

describe('import and export of users', () => {
  let api: TestApp;
  let folder: string;
  beforeEach(async () => {
    api = await startShippedApp();
    folder = mkdtempSync(join(tmpdir(), 'keyslot-import-'));
  });
  afterEach(async () => {
    await api.close();
    rmSync(folder, { recursive: true });
  });

  const variablesOf = (keyPrefix: string): Record<string, string | undefined> => ({
    ...asOperator(keyPrefix),
    REDIS_SOURCE_USERNAME: process.env['TEST_REDIS_ADMIN_USERNAME'],
    REDIS_SOURCE_PASSWORD: process.env['TEST_REDIS_ADMIN_PASSWORD'],
    LOG_LEVEL: 'trace',
  });
  const users = async (
    args: readonly string[],
    keyPrefix = api.keyPrefix,
  ): Promise<CommandResult> =>
    runCommand(['users', ...args], { variables: variablesOf(keyPrefix), cwd: folder });
  /** Everything that the command has written except the report. */
  const linesOf = ({ stdout }: CommandResult): string[] =>
    stdout.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  const importOf = async (name: string, ...options: string[]): Promise<CommandResult> =>
    users(['import', join(IMPORTS, name), '--report', join(folder, 'report'), ...options]);
  const report = (): Refused[] =>
    readFileSync(join(folder, 'report'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Refused);
  const reasons = (): Record<string, string> =>
    Object.fromEntries(
      report().map(({ line, element, key, reason }) => [String(line ?? element ?? key), reason]),
    );
  const keysOf = async (): Promise<string[]> =>
    (await keysByMaster(`${api.keyPrefix}v1:{user.`)).flat();
  /** Logs in, and returns the hash that is stored afterwards. */
  const hashAfterLogin = async (username: string, password: string): Promise<string> => {
    const login = await api.login(username, password);
    expect([username, login.status]).toEqual([username, 200]);
    const { body } = await api.ownUser(login.body.access_token);
    const user = await api.app.get(UsersService).find(String(body['id']), Deadline.none);
    return user!.passwordHash.reveal();
  };

  /** The user sets the first password with a link, and then has a confirmed address. */
  const expectInvited = async (one: TestApp, username: string, address: string): Promise<void> => {
    const accounts = one.app.get<Accounts>(ACCOUNTS);
    const user = await accounts.findByUsername(username, Deadline.none);
    const binding = { address, passwordVersion: user!.passwordVersion };
    const tokens = one.app.get(OneTimeTokens);
    const { token } = await tokens.issue(user!.id, 'invitation', binding, Deadline.none);
    expect((await confirmReset(one, token.reveal())).status).toBe(204);
    const { access_token } = (await one.login(username, NEW_PASSWORD)).body;
    expect((await one.ownUser(access_token)).body).toMatchObject({ emailVerified: true });
  };

  it.each([
    [
      'keycloak',
      'keycloak-realm.json',
      [
        ['kc-peter', 'iceberg'],
        ['kc-user1', 'password'],
        ['kc-older', 'password'],
        ['kc-plain', 'plain in a realm file'],
      ],
      { 6: 'no-password' },
      ['Imported 5 users.', '1 record is no user.'],
      'kc-disabled',
      ['kc-peter'],
    ],
    [
      'django',
      'django-dump.json',
      [
        ['dj-admin', 'lètmein'],
        ['dj-argon2', 'secret'],
        ['dj-bcrypt', 'password'],
        ['dj-scrypt', 'lètmein'],
      ],
      { 6: 'no-password', 7: 'unknown-hash' },
      ['Imported 4 users.', '1 record is no user.'],
      'dj-md5',
      [],
    ],
    [
      'auth0',
      'auth0-bulk.json',
      [
        ['a0.bcrypt@example.com', 'abcdefghijklmnopqrstuvwxyz'],
        ['a0-pbkdf2', 'Password'],
        ['a0-argon2', 'password'],
        ['a0-scrypt', 'pleaseletmein'],
      ],
      { 5: 'unknown-hash' },
      ['Imported 5 users.'],
      'a0-blocked',
      ['a0.bcrypt@example.com'],
    ],
  ] as const)(
    'imports users of %s, who log in with their passwords and then have a hash of this installation',
    async (format, file, logins, refused, lines, stranger, verified) => {
      const imported = await importOf(file);

      expect(imported).toMatchObject({ status: 1, stderr: '' });
      expect(linesOf(imported)).toEqual(expect.arrayContaining([...lines]));
      expect(reasons()).toEqual(refused);
      for (const [username, password] of logins) {
        expect((await api.login(username, `${password}x`)).status).toBe(401);
        expect(await hashAfterLogin(username, password)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2/);
        expect((await api.login(username, password)).status).toBe(200);
      }
      expect((await api.login(stranger, 'plain in a realm file')).status).toBe(401);
      expect((await api.login(stranger, 'abcdefghijklmnopqrstuvwxyz')).status).toBe(401);

      const confirmed = [];
      for await (const user of api.app.get(UserExport).users(false, Origin.operator)) {
        confirmed.push(...(user.emailVerified ? [user.username] : []));
      }
      expect(confirmed).toEqual(verified);

      const again = await importOf(file, '--format', format);
      const present = `${logins.length + (stranger === 'dj-md5' ? 0 : 1)} users were already there`;
      expect(linesOf(again)).toEqual(
        expect.arrayContaining(['Imported 0 users.', expect.stringMatching(`^${present}`)]),
      );
      expect((await api.login(logins[0][0], logins[0][1])).status).toBe(200);
    },
  );

  it('imports its own format, and reports what it refuses without secrets', async () => {
    const keys = await keysOf();

    const trial = await importOf('users.ndjson', '--dry-run');
    const trialReport = report();

    expect(linesOf(trial)[0]).toBe('Would import 5 users.');
    expect(await keysOf()).toEqual(keys);
    const imported = await importOf('users.ndjson');

    expect(linesOf(imported)[0]).toBe('Imported 5 users.');
    const refused = {
      6: 'invalid-json',
      7: 'invalid-username',
      8: 'too-expensive',
      9: 'invalid-record',
      10: 'unknown-role',
      11: 'password-is-a-hash',
      12: 'no-password',
      13: 'invalid-email',
      15: 'username-taken',
      16: 'id-in-use',
      18: 'invalid-record',
    };
    expect(reasons()).toEqual(refused);
    expect(trialReport.map(({ reason }) => reason).sort()).toEqual(
      expect.arrayContaining(Object.values(refused).filter((reason) => reason !== 'id-in-use')),
    );
    expect(statSync(join(folder, 'report')).mode & 0o777).toBe(0o600);
    const written = [trial, imported].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    for (const text of [...written, readFileSync(join(folder, 'report'), 'utf8')]) {
      expect(text).not.toMatch(/s3cr3t|tiny|\$[256]|sha256|plain secret/);
    }

    expect(await hashAfterLogin('own-ada', 'Hello world!')).toMatch(/^\$argon2id\$/);
    expect(await hashAfterLogin('own-short', 'tiny')).toMatch(/^\$argon2id\$/);
    expect(await hashAfterLogin('own-crypt5', 'Hello world!')).toMatch(/^\$argon2id\$/);
    expect((await api.login('own-disabled', 'a long plain secret text')).status).toBe(401);
    const { body } = await api.ownUser(
      (await api.login('own-ada', 'Hello world!')).body.access_token,
    );
    expect(body).toMatchObject({
      id: '0d4c6a35-79c9-4d4c-9a9d-2f7a4a1c7a01',
      username: 'Own-Ada',
      email: 'own.ada@example.com',
      emailVerified: true,
      displayName: 'Ada',
      roles: ['admin'],
      createdAt: '2021-02-03T04:05:06.789Z',
    });
  });

  it('does not take over a user who has registered', async () => {
    const { username } = await api.newUser('taken');
    writeFileSync(
      join(folder, 'users'),
      [username, 'TAKEN', 'free', 'taкen']
        .map((name) => JSON.stringify({ username: name, passwordHash: BCRYPT }))
        .join('\n'),
    );

    const result = await users(['import', 'users']);

    expect(linesOf(result)[0]).toBe('Imported 1 user.');
    expect((await api.login(username)).status).toBe(200);
    expect((await api.login(username, 'U*U')).status).toBe(401);
    expect((await api.login('free', 'U*U')).status).toBe(200);
  });

  it('imports plain passwords under Redis keys, and names the keys of other values in the report', async () => {
    const own = `seed-${api.keyPrefix.slice(2, -1)}`;
    const texts = {
      [`${own}-alice`]: JSON.stringify({
        username: `${own}-alice`,
        password: 'alice has a secret',
      }),
      [`${own}-bob`]: JSON.stringify({ username: `${own}-bob`, password: 'bob', age: 7 }),
      [`${own}-page`]: '<html>',
      [`${own}-cart`]: JSON.stringify({ items: [] }),
    };
    await withRedis(async (_, cluster) => {
      await Promise.all(Object.entries(texts).map(async ([key, text]) => cluster.set(key, text)));
      await cluster.rpush(`${own}-list`, 'one');
    });
    const args = ['import', '--from-redis-json', '--match', `${own}-*`, '--report', 'report'];

    const result = await users(args);
    const again = await users([...args, '--source-nodes', process.env['TEST_REDIS_NODES'] ?? '']);
    await withRedis(async (_, cluster) => {
      await Promise.all(
        [...Object.keys(texts), `${own}-list`].map(async (key) => cluster.del(key)),
      );
    });

    expect(linesOf(result)[0]).toBe('Imported 2 users.');
    expect(reasons()).toEqual({
      [`${own}-page`]: 'invalid-json',
      [`${own}-list`]: 'invalid-json',
      [`${own}-cart`]: 'invalid-record',
    });
    expect(await hashAfterLogin(`${own}-alice`, 'alice has a secret')).toMatch(/^\$argon2id\$/);
    expect(await hashAfterLogin(`${own}-bob`, 'bob')).toMatch(/^\$argon2id\$/);
    expect(result.stdout + result.stderr).not.toMatch(/alice has a secret|"bob"/);
    expect(linesOf(again).slice(0, 2)).toEqual([
      'Imported 0 users.',
      '2 users were already there, from an earlier import.',
    ]);
  });

  it('continues after it was killed, and has each user once', async () => {
    const names = Array.from({ length: 3000 }, (_, index) => `killed-${index}`);
    writeFileSync(
      join(folder, 'users'),
      names.map((username) => JSON.stringify({ username, passwordHash: BCRYPT })).join('\n'),
    );
    const child = spawn(process.execPath, [CLI, 'users', 'import', 'users'], {
      cwd: folder,
      env: commandEnvironment(variablesOf(api.keyPrefix)),
      stdio: 'ignore',
    });
    const ended = new Promise((done) => child.once('exit', (_, signal) => done(signal)));
    await eventually('some users exist', 30_000, async () => (await keysOf()).length > 100);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');

    const repeated = await users(['import', 'users']);

    expect(repeated.status).toBe(0);
    const [, imported, present] =
      /Imported (\d+) users\.\n(\d+) users were already there/.exec(repeated.stdout) ?? [];
    expect(Number(imported) + Number(present)).toBe(names.length);
    expect(Number(present)).toBeGreaterThan(20);
    expect(Number(imported)).toBeGreaterThan(20);
    const exporting = spawn(process.execPath, [CLI, 'users', 'export', 'cut'], {
      cwd: folder,
      env: commandEnvironment(variablesOf(api.keyPrefix)),
      stdio: 'ignore',
    });
    const exportEnded = new Promise((done) => exporting.once('exit', (_, signal) => done(signal)));
    const watcher = watch(folder, () => exporting.kill('SIGKILL'));
    expect(await exportEnded).toBe('SIGKILL');
    watcher.close();
    // Nobody takes a part of the users for all of them.
    expect(readdirSync(folder)).not.toContain('cut');
    expect((await users(['export', 'cut'])).stderr).toMatch(/Delete cut\.partial if an earlier/);
    await users(['export', 'all']);
    const exported = readFileSync(join(folder, 'all'), 'utf8').trim().split('\n');
    const found = exported.map((line) => (JSON.parse(line) as { username: string }).username);
    expect(found.sort()).toEqual([...names].sort());
    expect((await api.login('killed-2999', 'U*U')).status).toBe(200);
  });

  it('gives a name that several records have to the first one, and forecasts that', async () => {
    const names = ['first', 'FIRST', 'second', 'sec0nd'];
    writeFileSync(
      join(folder, 'users'),
      names
        .map((username, index) => ({ user_id: String(index), username, password_hash: BCRYPT }))
        .map((user) => JSON.stringify(user))
        .join('\n'),
    );

    const trial = await users(['import', 'users', '--dry-run', '--report', 'report']);
    const forecast = reasons();
    const result = await users(['import', 'users', '--report', 'report']);

    expect(linesOf(trial)[0]).toBe('Would import 2 users.');
    expect(linesOf(result)[0]).toBe('Imported 2 users.');
    expect(reasons()).toEqual({ 2: 'username-taken', 4: 'username-taken' });
    expect(forecast).toEqual(reasons());
  });

  it('exports all users, who log in after an import into another cluster', async () => {
    await importOf('users.ndjson');
    await importOf('django-dump.json');
    const { username } = await api.newUser('registered');
    await hashAfterLogin('own-crypt5', 'Hello world!');

    const without = await users(['export', 'without']);
    const exported = await users(['export', 'all', '--with-password-hashes']);
    const existing = await users(['export', 'all']);

    expect(linesOf(without)).toEqual(['Exported 10 users.']);
    expect(readFileSync(join(folder, 'without'), 'utf8')).not.toMatch(/passwordHash|"invited"|\$/);
    expect(exported.status).toBe(0);
    expect(statSync(join(folder, 'all')).mode & 0o777).toBe(0o600);
    expect(existing.status).toBe(1);
    expect(existing.stderr).toMatch(/^The file cannot be created/);

    const before = readFileSync(join(folder, 'all'), 'utf8');
    expect(before.match(/"emailVerified":true/g)).toHaveLength(1);
    expect(before.match(/"invited":true/g)).toHaveLength(1);
    const other = await startShippedApp();
    try {
      const imported = await users(['import', 'all'], other.keyPrefix);
      await users(['export', 'copy', '--with-password-hashes'], other.keyPrefix);
      expect(linesOf(imported)).toEqual(['Imported 10 users.']);
      expect(readFileSync(join(folder, 'copy'), 'utf8')).toBe(before);
      expect((await other.login(username)).status).toBe(200);
      expect((await other.login('own-crypt5', 'Hello world!')).status).toBe(200);
      expect((await other.login('dj-admin', 'lètmein')).status).toBe(200);
      expect((await other.login('own-disabled', 'a long plain secret text')).status).toBe(401);
      expect((await other.login('own-invited', '')).status).toBe(401);
      await expectInvited(other, 'own-invited', 'own.invited@example.com');
    } finally {
      await other.close();
    }
  });

  it('exports only if the directory has all users', async () => {
    const { id } = await api.newUser('forgotten');
    await api.newUser('listed');
    await api.app.get(DirectoryIndex).correct(id, () => Promise.resolve(undefined), Deadline.none);

    const incomplete = await users(['export', 'all']);
    const files = readdirSync(folder);
    await users(['reindex']);
    const complete = await users(['export', 'all']);

    expect(incomplete.status).toBe(1);
    expect(incomplete.stderr).toMatch(
      /1 users are not in the directory\. Run 'users reindex' first/,
    );
    expect(files).toEqual([]);
    expect(complete).toMatchObject({ status: 0, stderr: '' });
    expect(linesOf(complete)).toEqual(['Exported 2 users.']);
  });

  it('writes the report over no other file than an earlier report', async () => {
    const text = JSON.stringify({ username: 'ada' });
    writeFileSync(join(folder, 'users'), text);
    writeFileSync(join(folder, 'other'), 'of somebody else');
    symlinkSync('other', join(folder, 'link'));
    symlinkSync('other', join(folder, 'report.partial'));

    const source = await users(['import', 'users', '--format', 'keyslot', '--report', 'users']);
    const link = await users(['import', 'users', '--format', 'keyslot', '--report', 'link']);
    await users(['import', 'users', '--format', 'keyslot', '--report', 'report']);
    await users(['import', 'users', '--format', 'keyslot', '--report', 'report']);

    expect(source.stderr).toMatch(
      /^The report cannot be written: users is the file with the users/,
    );
    expect(link.stderr).toMatch(
      /^The report cannot be written: link exists and is no regular file/,
    );
    expect(readFileSync(join(folder, 'users'), 'utf8')).toBe(text);
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('of somebody else');
    expect(reasons()).toEqual({ 1: 'no-password' });
    expect(readdirSync(folder).sort()).toEqual(['link', 'other', 'report', 'users']);
  });

  it('does not name keys of other software in the report', async () => {
    const key = `foreign-${api.keyPrefix.slice(2, -1)}`;
    await withRedis(async (_, cluster) => cluster.set(key, '<html>'));

    const result = await users([
      ...['import', '--from-redis-json', '--dry-run', '--report', 'report'],
    ]);
    await withRedis(async (_, cluster) => cluster.del(key));

    expect(result.stdout).toMatch(/The report does not name \d+ keys/);
    expect(readFileSync(join(folder, 'report'), 'utf8')).not.toContain(key);
  });

  it('says what is wrong with a file, and changes nothing', async () => {
    const keys = await keysOf();
    writeFileSync(join(folder, 'empty'), '');
    writeFileSync(join(folder, 'cut'), '[{"username":"a","passwordHash":"x"},{"user');

    const missing = await users(['import', 'no-such-file']);
    const empty = await users(['import', 'empty']);
    const cut = await users(['import', 'cut', '--dry-run']);
    const format = await users(['import', 'cut', '--format', 'ldap']);
    const mixed = await users(['import', 'cut', '--match', '*']);

    expect(missing.stderr).toMatch(/^no-such-file cannot be read: ENOENT/);
    expect(empty.stderr).toMatch(/^The format of the file is not known/);
    expect(cut.stderr).toMatch(/^cut is not valid JSON after 1 users\.\n/);
    expect(format.stderr).toMatch(/^There is no format "ldap"\. The formats are: keyslot, /);
    expect(mixed.status).toBe(2);
    expect([missing, empty, cut, format].map(({ status }) => status)).toEqual([1, 1, 1, 1]);
    expect(await keysOf()).toEqual(keys);
  });
});
