import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { Redis, type Cluster } from 'ioredis';
import { decodeJwt } from 'jose';
import { DEFAULT_USER_RULES, DIGEST_PLACEHOLDER } from '../../src/redis-cluster/index.js';
import { CLI, runCommand, type CommandResult } from '../support/command.js';
import { startDeployment, type Deployment } from '../support/deployment.js';
import type { TestUser } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { connectCluster } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const GUARDED_SERVICE = resolve('test/e2e/guarded-service.mjs');
const PREFIX = `it's_"odd"[*]:`;

/** The user that `redis-acl` prints, on nodes that accept no other users. */
describe('the Redis user with minimum permissions (94)', () => {
  let own: OwnCluster;
  beforeAll(async () => (own = await startOwnCluster()));
  afterAll(async () => own.remove());

  const ports = (): number[] => own.cluster.addresses.map(({ port }) => port);
  const onEveryNode = async (...command: string[]): Promise<string[]> => {
    const [name, ...args] = command as [string, ...string[]];
    return Promise.all(ports().map((port) => own.cluster.call(port, name, ...args)));
  };
  const redisAcl = (variables: Record<string, string>, ...options: string[]) =>
    spawnSync(process.execPath, [CLI, 'redis-acl', ...options], {
      cwd: tmpdir(), // without .env
      env: { PATH: process.env['PATH'], ...variables },
      encoding: 'utf8',
    });
  /** Pipes input to redis-cli like an operator. */
  const redisCli = (port: number, input: string): string =>
    spawnSync('redis-cli', ['-p', String(port), '--user', own.administrator], {
      env: { PATH: process.env['PATH'], REDISCLI_AUTH: own.cluster.password.reveal() },
      input,
      encoding: 'utf8',
    }).stdout.trim();
  /** Runs a command that Redis denies, and clears the ACL log. */
  const expectRefused = async (
    { REDIS_USERNAME, REDIS_PASSWORD }: Record<'REDIS_USERNAME' | 'REDIS_PASSWORD', string>,
    reason: RegExp,
    ...command: string[]
  ): Promise<void> => {
    const [port] = ports();
    const connection = new Redis({
      port: port!,
      username: REDIS_USERNAME,
      password: REDIS_PASSWORD,
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    const [name, ...args] = command as [string, ...string[]];
    await expect(connection.call(name, ...args)).rejects.toThrow(reason);
    connection.disconnect();
    expect(await own.refused()).toHaveLength(1);
    await own.cluster.call(port!, 'ACL', 'LOG', 'RESET');
  };

  it('is created on each node by the printed command, for any key prefix', async () => {
    const password = randomBytes(16).toString('hex');
    const printed = redisAcl({
      REDIS_USERNAME: 'odd-one',
      REDIS_PASSWORD: password,
      REDIS_KEY_PREFIX: PREFIX,
    });
    expect(printed.status).toBe(0);
    expect(printed.stdout + printed.stderr).not.toContain(password);

    expect(ports().map((port) => redisCli(port, printed.stdout))).toEqual(Array(6).fill('OK'));

    const login = (await onEveryNode('ACL', 'GETUSER', 'odd-one')).map((user) =>
      user.startsWith('flags,on,'),
    );
    expect(login).toEqual(Array(6).fill(true));
    const key = `${PREFIX}v1:{user.1}:record`;
    expect(await onEveryNode('ACL', 'DRYRUN', 'odd-one', 'GET', key)).toEqual(Array(6).fill('OK'));
    const other = key.replace('[*]', '*');
    expect((await onEveryNode('ACL', 'DRYRUN', 'odd-one', 'GET', other)).join()).not.toContain(
      'OK',
    );
    await onEveryNode('ACL', 'DELUSER', 'odd-one');
  });

  it('is not created without a password: Redis rejects the placeholder', () => {
    const printed = redisAcl({});

    expect(printed.stdout).toContain(`ACL SETUSER keyslot reset on #${DIGEST_PLACEHOLDER} `);
    expect(printed.stderr).toContain('sha256sum');
    expect(redisCli(ports()[0]!, printed.stdout)).toContain('ERR Error in ACL SETUSER');
  });

  it('reports wrong settings and options', () => {
    expect(redisAcl({ REDIS_KEY_PREFIX: 'a{b}' })).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('REDIS_KEY_PREFIX must be'),
    });
    expect(redisAcl({}, '--fiel')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Usage'),
    });
  });

  it('has no permission that Redis classifies as dangerous or administrative', async () => {
    await expectNoDangerousRights(redisAcl({}).stdout);
  });

  const expectNoDangerousRights = async (printed: string): Promise<void> => {
    const rights = printed.match(/(?<=\+)[^\s)]+/g)!;
    expect(rights.length).toBeGreaterThan(25);
    for (const category of ['dangerous', 'admin']) {
      const commands = (await own.cluster.call(ports()[0]!, 'ACL', 'CAT', category)).split(',');
      expect(commands).toContain('acl|setuser');
      expect(rights.filter((right) => commands.includes(right))).toEqual([]);
    }
  };

  it.each([
    ['keys of others', 'EVAL', `return redis.call('GET', KEYS[1])`, '1', 'other:x'],
    ['a script that names a key of others', 'EVAL', `return redis.call('GET', 'x')`, '0'],
    ['a script that deletes all', 'EVAL', `return redis.call('FLUSHALL')`, '0'],
    ['channels of others', 'SSUBSCRIBE', 'other'],
    ['finding keys', 'SCAN', '0'],
    ['deleting all', 'FLUSHALL'],
    ['the configuration', 'CONFIG', 'GET', '*'],
    ['users', 'ACL', 'LIST'],
    ['other clients', 'CLIENT', 'LIST'],
    ['forgetting scripts', 'SCRIPT', 'FLUSH'],
    ['the cluster', 'CLUSTER', 'RESET'],
    ['the log of slow commands', 'SLOWLOG', 'GET'],
  ])('may not use %s', async (_, ...command) => {
    await expectRefused(own.variables, /NOPERM|The user executing the script/, ...command);
  });

  it('prints every line of an ACL file, with placeholders for unknown passwords', () => {
    const known = {
      REDIS_PASSWORD: 'one',
      REDIS_ADMIN_PASSWORD: 'two',
      REDIS_REPLICA_PASSWORD: 'three',
    };
    const names = /^user default [^]*\nuser admin [^]*\nuser replica [^]*\nuser keyslot .*\n$/;

    const printed = redisAcl(known, '--file');
    expect(printed.stdout).toMatch(names);
    expect(printed.stdout).not.toContain(DIGEST_PLACEHOLDER);
    expect(printed.stdout + printed.stderr).not.toMatch(/\b(?:one|two|three)\b/);

    const unknown = redisAcl({}, '--file');
    expect(unknown.stdout).toMatch(names);
    expect(unknown.stdout.split(DIGEST_PLACEHOLDER)).toHaveLength(4);
    expect(Object.keys(known).filter((name) => !unknown.stderr.includes(name))).toEqual([]);
  });

  describe('of a service with the guard', () => {
    const password = randomBytes(16).toString('hex');
    const service = { REDIS_USERNAME: 'orders', REDIS_PASSWORD: password };
    let keyslot: TestApp;
    let orders: Instance;
    let user: TestUser;
    let redis: Cluster;
    beforeAll(async () => {
      keyslot = await startTestApp(own.variables);
      const variables = { ...own.variables, ...service, REDIS_KEY_PREFIX: keyslot.keyPrefix };
      const printed = redisAcl(variables, '--guard');
      expect(ports().map((port) => redisCli(port, printed.stdout))).toEqual(Array(6).fill('OK'));
      expect(printed.stdout + printed.stderr).not.toContain(password);
      user = await keyslot.newUser();
      orders = await Instance.start(variables, GUARDED_SERVICE);
      redis = await connectCluster(own.cluster.addresses, {
        username: own.administrator,
        password: own.cluster.password.reveal(),
      });
    });
    afterAll(async () => {
      redis.disconnect();
      await Promise.all([orders.stop(), keyslot.close()]);
    });

    const statusOf = async (token: string, path = '/notes/own'): Promise<number> =>
      (await orders.request('GET', path, { token })).status;
    const key = (tag: string, part: string): string => `${keyslot.keyPrefix}v1:{${tag}}:${part}`;
    const ofUser = (part: string): string => key(`user.${user.id}`, part);
    /** Runs a command from a script, as the guard does. */
    const expectRefusedByScript = async (...command: string[]): Promise<void> => {
      const script = 'return redis.call(unpack(ARGV))';
      await expectRefused(
        service,
        /The user executing the script/,
        'EVAL',
        script,
        '0',
        ...command,
      );
    };
    const separateHashes = async (): Promise<CommandResult> =>
      runCommand(['separate-hashes'], {
        variables: { ...own.variables, REDIS_KEY_PREFIX: keyslot.keyPrefix },
      });
    /** How often the service has renewed its lease. */
    const renewals = async (): Promise<number> => {
      const instances = Object.values(await redis.hgetall(key('instances.registry', 'list')));
      const { inbox } = instances
        .map((text) => JSON.parse(text) as { processId: number; inbox: string })
        .find(({ processId }) => processId === orders.pid)!;
      return Number(await redis.hget(key(`inbox.${inbox}`, 'state'), 'renewal'));
    };

    it('is enough for cold and warm tokens, permissions, revocations and the lease', async () => {
      const { access_token: token } = user.tokens;
      const { body: second } = await keyslot.login(user.username);
      expect([await statusOf(token), await statusOf(token)]).toEqual([200, 200]);
      expect(await statusOf(second.access_token)).toBe(200);
      expect(await statusOf(token, '/notes/drafts')).toBe(403);
      const before = await renewals();
      await eventually(
        'the lease was renewed',
        10_000,
        async () => (await renewals()) > before + 1,
      );

      expect((await keyslot.logout(token)).status).toBe(204);
      expect(await statusOf(token)).toBe(401);
      expect(await statusOf(second.access_token)).toBe(200);
      expect(await own.refused()).toEqual([]);
    });

    it('notes when a session was used, apart from the session', async () => {
      const { tokens } = await keyslot.newUser();
      const { sub, sid } = decodeJwt<{ sub: string; sid: string }>(tokens.access_token);
      const stored = await redis.hget(key(`user.${sub}`, 'sessions'), sid);

      expect(await statusOf(tokens.access_token)).toBe(200);
      const usedAt = Number(await redis.hget(key(`user.${sub}`, 'uses'), sid));

      expect(await redis.hget(key(`user.${sub}`, 'sessions'), sid)).toBe(stored);
      const { body } = await keyslot.request<{ items: { lastUsedAt: string }[] }>(
        'GET',
        '/api/user/sessions',
        { token: tokens.access_token },
      );
      expect(Date.parse(body.items[0]!.lastUsedAt)).toBeGreaterThanOrEqual(usedAt);
      expect(usedAt).toBeGreaterThan((JSON.parse(stored!) as { createdAt: number }).createdAt);
    });

    it.each([
      ['create a session', 'HSET', 'sessions', 'id', '{}'],
      ['end a session', 'HDEL', 'sessions', 'id'],
      ['change a user', 'HSET', 'record', 'roles', '["admin"]'],
      ['delete a user', 'DEL', 'record'],
      ['read a password hash', 'GET', 'password-hash'],
      ['read a password hash as another type', 'HGETALL', 'password-hash'],
      ['write a password hash', 'SET', 'password-hash', 'x'],
      ['read the answers of refreshes', 'GET', 'refresh-answer:x'],
    ])('may not %s', async (_, command, part, ...args) => {
      await expectRefusedByScript(command, ofUser(part), ...args);
    });

    it.each([
      ['sign with a key of its own', 'HSET', 'keys.signing', 'set', 'public', '{}'],
      ['define a role', 'HSET', 'roles.all', 'set', 'role:x', '{}'],
      ['find a user by name', 'GET', 'name.x', 'owner'],
      ['become an administrator', 'ZADD', 'administrators.registry', 'candidates', '1', 'x'],
      ['count a failed login', 'ZADD', 'login-address.x', 'failed', '1', 'x'],
    ])('may not %s', async (_, command, tag, part, ...args) => {
      await expectRefusedByScript(command, key(tag, part), ...args);
    });

    it('may read a user, which does not include the password hash', async () => {
      const record = await redis.hgetall(ofUser('record'));
      expect(record).toMatchObject({ id: user.id, passwordVersion: '1' });
      expect(JSON.stringify(record)).not.toContain('argon2');
      expect(await redis.get(ofUser('password-hash'))).toMatch(/^\$argon2id\$/);
    });

    it('cannot read the hash of a user of version 0.1.0 after separate-hashes', async () => {
      const { id, username } = await keyslot.newUser();
      const [record, apart] = [key(`user.${id}`, 'record'), key(`user.${id}`, 'password-hash')];
      const hash = (await redis.getdel(apart))!;
      await redis.hset(record, 'passwordHash', hash);
      expect((await keyslot.login(username)).status).toBe(200);
      // As version 0.1.0 deletes a user: one whose mark is still there, and one whose mark has expired.
      const deleted = await Promise.all([keyslot.newUser(), keyslot.newUser()]);
      const [marked, gone] = deleted.map((one) => key(`user.${one.id}`, 'record'));
      await Promise.all([redis.del(marked!), redis.del(gone!)]);
      await redis.hset(marked!, 'deleted', 1);
      await own.changeUser('+scan');

      const { status, stdout } = await separateHashes();

      expect({ status, stdout }).toEqual({
        status: 0,
        stdout:
          'Moved the password hashes of 1 users. Deleted those of 2 users who do not exist any more.\n',
      });
      for (const one of deleted) {
        expect(await redis.exists(key(`user.${one.id}`, 'password-hash'))).toBe(0);
      }
      expect(await redis.get(ofUser('password-hash'))).toMatch(/^\$argon2id\$/);
      await own.restoreUser();
      expect([await redis.hget(record, 'passwordHash'), await redis.get(apart)]).toEqual([
        null,
        hash,
      ]);
      expect((await keyslot.login(username)).status).toBe(200);
    });

    it('may not use these keys without a script either', async () => {
      await expectRefused(service, /NOPERM/, 'HSET', ofUser('record'), 'roles', '["admin"]');
      await expectRefused(service, /NOPERM/, 'GET', ofUser('password-hash'));
    });

    it('has no permission that Redis classifies as dangerous or administrative', async () => {
      await expectNoDangerousRights(redisAcl({}, '--guard').stdout);
    });
  });

  describe('with the user "default" disabled', () => {
    let deployment: Deployment;
    beforeAll(async () => (deployment = await startDeployment(own.variables)));
    afterAll(async () => deployment.stop());

    it('nobody can become "default": not without authentication, with AUTH, or with RESET', async () => {
      const application = new Redis({
        port: ports()[0]!,
        username: own.variables.REDIS_USERNAME,
        password: own.variables.REDIS_PASSWORD,
        enableReadyCheck: false,
        disableClientInfo: true,
      });
      await application.call('RESET');
      await expect(application.call('GET', 'x')).rejects.toThrow('NOAUTH');
      for (const login of [[''], ['default', ''], ['default', 'guess']]) {
        await expect(application.call('AUTH', ...login)).rejects.toThrow('WRONGPASS');
      }
      application.disconnect();
      await own.cluster.call(ports()[0]!, 'ACL', 'LOG', 'RESET');
    });

    it('"default" keeps its rights when a running node is reconfigured and its users are saved', async () => {
      const [port] = ports();
      const userOf = async (): Promise<string> =>
        (await own.cluster.call(port!, 'ACL', 'LIST'))
          .split(',')
          .find((line) => line.startsWith('user default '))!;
      const mended = /^user default off (?:sanitize-payload )?~\* &\* \+@all$/;
      expect(await userOf()).toMatch(mended);
      // Like an existing installation.
      await own.cluster.call(port!, 'ACL', 'SETUSER', 'default', 'reset');
      expect(await userOf()).toContain('-@all');

      await own.cluster.call(port!, 'ACL', 'SETUSER', 'default', ...DEFAULT_USER_RULES);
      await own.cluster.call(port!, 'ACL', 'SAVE');
      await own.cluster.call(port!, 'ACL', 'LOAD');

      expect(await userOf()).toMatch(mended);
    });

    const expectService = async (): Promise<void> => {
      const { api, expectEverywhere } = deployment;
      const users = await Promise.all(Array.from({ length: 8 }, () => api.newUser()));
      for (const { username, tokens } of users) {
        const { body: other } = await api.login(username);
        expect((await api.refresh(tokens.refresh_token)).status).toBe(200);
        await expectEverywhere(200, other);
        const { status } = await api.request('POST', '/api/logout', { token: other.access_token });
        expect(status).toBe(204);
        await expectEverywhere(401, other);
      }
    };

    it('instances need no other users, also after a failover', async () => {
      await expectService();

      const [master] = await own.masters();
      const replica = await own.replicaOf(master!);
      await own.cluster.call(replica, 'CLUSTER', 'FAILOVER');
      await eventually('the replica leads', 10_000, async () =>
        (await own.masters()).includes(replica),
      );
      // The old master follows as replica with the replica user: a write is confirmed only if it connects.
      await own.untilWhole();
      await expectService();

      expect(await own.refused()).toEqual([]);
    });
  });
});
