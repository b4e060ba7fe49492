import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { Redis } from 'ioredis';
import { DEFAULT_USER_RULES, DIGEST_PLACEHOLDER } from '../../src/redis-cluster/index.js';
import { startDeployment, type Deployment } from '../support/deployment.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';

const CLI = resolve('dist/cli.js');
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
  const expectRefused = async (reason: RegExp, ...command: string[]): Promise<void> => {
    const [port] = ports();
    const connection = new Redis({
      port: port!,
      username: own.variables.REDIS_USERNAME,
      password: own.variables.REDIS_PASSWORD,
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
    const rights = redisAcl({}).stdout.match(/(?<=\+)\S+/g)!;
    expect(rights.length).toBeGreaterThan(30);

    for (const category of ['dangerous', 'admin']) {
      const commands = (await own.cluster.call(ports()[0]!, 'ACL', 'CAT', category)).split(',');
      expect(commands).toContain('acl|setuser');
      expect(rights.filter((right) => commands.includes(right))).toEqual([]);
    }
  });

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
    await expectRefused(/NOPERM|The user executing the script/, ...command);
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
