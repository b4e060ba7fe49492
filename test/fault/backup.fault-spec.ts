import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startDeployment } from '../support/deployment.js';
import { GOOD_PASSWORD, type TestUser, type Tokens } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { Operator, type CommandResult } from '../support/operator.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { expiryByKind, expiriesOf, type KeyExpiries } from '../support/key-expiries.js';
import { testVariables } from '../support/test-variables.js';

const REGISTER_THEN_DIE = fileURLToPath(new URL('./register-then-die.mjs', import.meta.url));
const NEW_PASSWORD = 'granite clouds over the harbour';
const USERS = 30;
const ADMIN = 'the-administrator';
const OTHER_PORTS = 50;
const RDB_PORT = 14_090 + 100 * Number(process.env['JEST_WORKER_ID'] ?? 0);
/** Instances renew keys between reading the expiry and the backup, and copying takes a moment. */
const TTL_TOLERANCE_MS = 15_000;
/** Keys with more time left than this cannot have expired since, even on a slow machine. */
const LONG_TTL_MS = 200_000;
/** More than the smallest range of slots of a master contains. */
const MOVED_SLOTS = 700;

/** Follows docs/operations/backup-and-restore.md. */
describe('a cluster that was destroyed and restored from a backup', () => {
  const operator = new Operator();
  const folder = join(operator.folder, 'backup');
  const users = {} as Record<
    'ada' | 'paul' | 'demoted' | 'promoted' | 'disabledBefore' | 'disabledSince' | 'deleted',
    TestUser
  >;
  /** All sessions before the disaster, by the time at which they ended. */
  const sessions: Record<'live' | 'endedBefore' | 'endedSince' | 'begunSince', Tokens[]> = {
    live: [],
    endedBefore: [],
    endedSince: [],
    begunSince: [],
  };
  let redis: OwnCluster;
  let instance: Instance;
  let expiriesBefore: KeyExpiries;
  let expiriesAfter: KeyExpiries;
  let ending: CommandResult;
  /** The status of an ended session after the restore, before the command that ends all sessions. */
  let revived: number;
  const seconds: Record<string, number> = {};

  /** The default user of Redis, which may list keys, and the prefix in the document. */
  const administrator = () => ({
    REDIS_NODES: redis.variables.REDIS_NODES,
    REDIS_USERNAME: 'default',
    REDIS_PASSWORD: redis.cluster.password.reveal(),
    REDIS_KEY_PREFIX: 'ks:',
  });
  const variables = (): Record<string, string | undefined> => ({
    REDISCLI_AUTH: redis.cluster.password.reveal(),
    CLUSTER: redis.variables.REDIS_NODES.split(',')[0],
    BACKUP: folder,
    RDB_PORT: String(RDB_PORT),
    ...testVariables({ ...administrator(), LOG_LEVEL: 'warn' }),
  });
  const follow = async (title: string): Promise<CommandResult> => {
    const result = await operator.follow(title, variables());
    if (result.exitCode !== 0) {
      throw new Error(`${title} has failed:\n${result.output}`);
    }
    seconds[title] = result.seconds;
    return result;
  };
  const startInstance = async (more: Record<string, string> = {}): Promise<Instance> =>
    Instance.start({ ...administrator(), ...more });

  const populate = async (): Promise<void> => {
    const names = {
      ada: 'Ada',
      paul: 'paul',
      demoted: 'demoted',
      promoted: 'promoted',
      disabledBefore: 'disabled-before',
      disabledSince: 'disabled-since',
      deleted: 'deleted',
    };
    for (const [key, name] of Object.entries(names)) {
      const user = await instance.newUser(name);
      users[key as keyof typeof users] = user;
      sessions.live.push(user.tokens);
    }
    const admin = (await instance.login(ADMIN)).body;
    await asAdmin(admin, 'PATCH', users.demoted, { roles: ['admin'] });
    await asAdmin(admin, 'PATCH', users.disabledBefore, { disabled: true });
    const ended = (await instance.login('ada')).body;
    expect((await instance.logout(ended.access_token)).status).toBe(204);
    sessions.live.push(admin);
    sessions.endedBefore.push(ended);
    sessions.endedSince.push((await instance.login('ada')).body);
    // Counted failures, and a registration that was interrupted.
    await instance.login('ada', 'not her password at all');
    await instance.refresh(`${randomUUID()}.forged`);
    await registerAndDie('half-registered');
  };

  const asAdmin = async (
    admin: Tokens,
    method: string,
    user: TestUser,
    body?: unknown,
  ): Promise<void> => {
    const token = admin.access_token;
    const answer = await instance.request(method, `/api/users/${user.id}`, { token, body });
    expect([200, 204]).toContain(answer.status);
  };

  /** Notes the user in the directory, claims the name and writes the user; then the process dies. */
  const registerAndDie = async (username: string): Promise<void> => {
    const child = spawn(process.execPath, [REGISTER_THEN_DIE, username, '3', 'after'], {
      cwd: tmpdir(),
      env: {
        PATH: process.env['PATH'],
        TEST_REDIS_NODES: redis.variables.REDIS_NODES,
        TEST_REDIS_USERNAME: 'default',
        TEST_REDIS_PASSWORD: redis.cluster.password.reveal(),
        TEST_KEY_PREFIX: 'ks:',
        TEST_CLAIM_TTL_MS: String(2 * LONG_TTL_MS),
        TEST_PASSWORD: GOOD_PASSWORD,
      },
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  };

  /** Changes after the backup, which the restore undoes. */
  const changeAfterBackup = async (): Promise<void> => {
    const [ended] = sessions.endedSince;
    expect((await instance.logout(ended!.access_token)).status).toBe(204);
    const { tokens } = await instance.newUser('newcomer');
    sessions.begunSince.push(tokens, (await instance.login('ada')).body);
    const change = await instance.request('PUT', '/api/user/password', {
      token: users.paul.tokens.access_token,
      body: { currentPassword: GOOD_PASSWORD, newPassword: NEW_PASSWORD },
    });
    expect(change.status).toBe(204);
    const admin = (await instance.login(ADMIN)).body;
    sessions.begunSince.push(admin);
    await asAdmin(admin, 'PATCH', users.demoted, { roles: [] });
    await asAdmin(admin, 'PATCH', users.promoted, { roles: ['admin'] });
    await asAdmin(admin, 'PATCH', users.disabledBefore, { disabled: false });
    await asAdmin(admin, 'PATCH', users.disabledSince, { disabled: true });
    await asAdmin(admin, 'DELETE', users.deleted);
  };

  /** Removes a user from the directory, as a backup that saved the record after the directory. */
  const loseFromDirectory = async ({ id }: TestUser): Promise<void> => {
    const partition = `ks:v1:{user-directory.${id.at(-1)}}`;
    const removed = await Promise.all(
      (await redis.masters()).map(async (port) =>
        redis.cluster
          .call(port, 'DEL', `${partition}:terms`, `${partition}:entries`)
          .catch((error: Error) => error.message),
      ),
    );
    expect(removed).toContain('2');
  };

  /** Distributes the slots differently, so that keys belong to other masters than before. */
  const moveSlots = async (): Promise<void> => {
    const [from, to] = await redis.masters();
    const idOf = async (port: number): Promise<string> =>
      redis.cluster.call(port, 'CLUSTER', 'MYID');
    const redisCli = async (...args: string[]): Promise<unknown> => {
      const env = { PATH: process.env['PATH'], REDISCLI_AUTH: redis.cluster.password.reveal() };
      const child = spawn('redis-cli', ['--cluster', ...args], { env, stdio: 'ignore' });
      const [exitCode] = await once(child, 'exit');
      return exitCode;
    };
    const ids = ['--cluster-from', await idOf(from!), '--cluster-to', await idOf(to!)];
    const slots = ['--cluster-slots', String(MOVED_SLOTS), '--cluster-yes'];
    expect(await redisCli('reshard', `127.0.0.1:${from}`, ...ids, ...slots)).toBe(0);
    await eventually('all nodes know of it', 10_000, async () => {
      return (await redisCli('check', `127.0.0.1:${from}`)) === 0;
    });
  };

  beforeAll(async () => {
    redis = await startOwnCluster({ hasOnePassword: true });
    instance = await startInstance({
      BOOTSTRAP_ADMIN_USERNAME: ADMIN,
      BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
    });
    await populate();
    expiriesBefore = await expiriesOf(redis);
    await follow('Back up every master.');
    await changeAfterBackup();
    await instance.kill();
    const { port } = redis.cluster.addresses[0]!;
    await redis.remove();

    redis = await startOwnCluster({ firstPort: port + OTHER_PORTS, hasOnePassword: true });
    await moveSlots();
    await follow('Restore every file.');
    expiriesAfter = await expiriesOf(redis);
    instance = await startInstance();
    revived = (await instance.ownUser(sessions.endedSince[0]!.access_token)).status;
    await instance.stop();
    ending = await follow('End every session.');
    await loseFromDirectory(users.ada);
    await follow('Rebuild the directory of users.');
    instance = await startInstance();
    process.stderr.write(`${JSON.stringify({ keys: expiriesAfter.size, seconds })}\n`);
  }, 240_000);
  afterAll(async () => {
    await instance?.stop();
    await redis?.remove();
    operator.remove();
  });

  it('has every key that has not expired, with the same expiry', () => {
    const isLong = (at: number): boolean => at > Date.now() + LONG_TTL_MS;
    const missing = [...expiriesBefore].filter(
      ([key, at]) => isLong(at) && !expiriesAfter.has(key),
    );
    const changed = [...expiriesAfter].filter(([key, at]) => {
      // A key that was written between the two reads is one that expires.
      const before = expiriesBefore.get(key) ?? Math.min(at, Number.MAX_VALUE);
      return before !== at && !(Math.abs(before - at) < TTL_TOLERANCE_MS);
    });

    expect({ missing, changed }).toEqual({ missing: [], changed: [] });
    expect(expiryByKind(expiriesAfter)).toMatchObject({
      'user:record': ['permanent'],
      'name:owner': ['permanent'],
      'keys:set': ['permanent'],
      'user:sessions': ['temporary'],
      'password-account:guesses': ['temporary'],
      'login-address:failed': ['temporary'],
      'refresh-address:failed': ['temporary'],
      'registration-address:failed': ['temporary'],
      'user:holders': ['temporary'],
      'inbox:state': ['temporary'],
    });
  });

  it('has ended every session, including sessions that the restore brought back', async () => {
    const records = [...expiriesAfter.keys()].filter((key) => key.endsWith(':record'));
    expect(revived).toBe(200);
    expect(ending.output).toContain(`Ended every session of ${records.length} users.`);

    for (const { access_token, refresh_token } of Object.values(sessions).flat()) {
      expect((await instance.ownUser(access_token)).status).toBe(401);
      expect((await instance.refresh(refresh_token)).status).toBe(401);
    }
  });

  it('accepts the passwords of the users in the backup, and no others', async () => {
    const statusOf = async (username: string, password?: string): Promise<number> =>
      (await instance.login(username, password)).status;

    expect(await statusOf('ada')).toBe(200);
    expect(await statusOf('paul')).toBe(200);
    expect(await statusOf('paul', NEW_PASSWORD)).toBe(401);
    expect(await statusOf('deleted')).toBe(200);
    expect(await statusOf('disabled-since')).toBe(200);
    expect(await statusOf('disabled-before')).toBe(401);
    expect(await statusOf('newcomer')).toBe(401);
  });

  it('has the roles in the backup', async () => {
    const mayAdminister = async (username: string): Promise<boolean> => {
      const { access_token: token } = (await instance.login(username)).body;
      const { status } = await instance.request('GET', `/api/users/${users.ada.id}`, { token });
      expect([200, 403]).toContain(status);
      return status === 200;
    };

    expect(await mayAdminister(ADMIN)).toBe(true);
    expect(await mayAdminister('demoted')).toBe(true);
    expect(await mayAdminister('promoted')).toBe(false);
  });

  it('has each name once, and names of users created after the backup are available', async () => {
    const statuses = async (...names: string[]): Promise<number[]> =>
      Promise.all(names.map(async (name) => (await instance.register(name)).status));

    expect(await statuses('ADA', 'paul', ADMIN, 'deleted', 'half-registered')).toEqual(
      Array.from({ length: 5 }, () => 409),
    );
    // The registration was far enough for the first login to complete it.
    expect((await instance.login('half-registered')).status).toBe(200);
    expect(await statuses('newcomer', 'NewComer')).toEqual(expect.arrayContaining([201, 409]));
  });

  it('lists every user', async () => {
    const { access_token: token } = (await instance.login(ADMIN)).body;
    const { body } = await instance.request<{ items: { username: string }[] }>(
      'GET',
      '/api/users?limit=100',
      { token },
    );

    const names = ['Ada', 'paul', 'demoted', 'promoted', 'disabled-before', 'disabled-since'];
    expect(body.items.map(({ username }) => username)).toEqual(
      expect.arrayContaining([...names, 'deleted', 'half-registered', ADMIN]),
    );
  });

  it('is not changed by an operator whose Redis user may not list keys', async () => {
    const { tokens } = await instance.newUser();
    for (const { port } of redis.cluster.addresses) {
      const rights = ['>a-password', '~*', '&*', '+@all', '-scan'];
      await redis.cluster.call(port, 'ACL', 'SETUSER', 'instance', 'on', ...rights);
    }

    const result = await operator.follow('End every session.', {
      ...variables(),
      REDIS_USERNAME: 'instance',
      REDIS_PASSWORD: 'a-password',
    });

    expect(result).toMatchObject({ exitCode: 1, output: expect.stringContaining('+scan') });
    expect(await redis.refused()).not.toEqual([]);
    for (const { port } of redis.cluster.addresses) {
      await redis.cluster.call(port, 'ACL', 'LOG', 'RESET');
    }
    expect((await instance.ownUser(tokens.access_token)).status).toBe(200);
  });

  it('works without the encryption secret, except for existing tokens', async () => {
    const { username, tokens } = await instance.newUser();
    await instance.stop();
    const newSecret = { KEY_ENCRYPTION_SECRET: 'another secret, because the first was lost' };
    await expect(startInstance(newSecret)).rejects.toThrow('encrypted with another secret');

    await follow('Remove the signing keys.');

    instance = await startInstance(newSecret);
    expect((await instance.ownUser(tokens.access_token)).status).toBe(401);
    expect((await instance.refresh(tokens.refresh_token)).status).toBe(401);
    const { body } = await instance.login(username);
    expect((await instance.ownUser(body.access_token)).status).toBe(200);
  });
});

describe('ending every session while instances run', () => {
  it('takes effect on all of them before it reports success', async () => {
    const operator = new Operator();
    const deployment = await startDeployment();
    const { api, expectEverywhere } = deployment;
    try {
      const users = await Promise.all(Array.from({ length: USERS }, () => api.newUser()));
      const before = users.map(({ tokens }) => tokens);
      await expectEverywhere(200, ...before);

      const result = await operator.follow('End every session.', {
        ...testVariables({
          REDIS_KEY_PREFIX: api.keyPrefix,
          REDIS_USERNAME: process.env['TEST_REDIS_ADMIN_USERNAME'],
          REDIS_PASSWORD: process.env['TEST_REDIS_ADMIN_PASSWORD'],
        }),
      });

      await expectEverywhere(401, ...before);
      expect(result).toMatchObject({
        exitCode: 0,
        output: `Ended every session of ${USERS} users.\n`,
      });
      for (const { refresh_token } of before) {
        expect((await api.refresh(refresh_token)).status).toBe(401);
      }
      await expectEverywhere(200, (await api.login(users[0]!.username)).body);
    } finally {
      await deployment.stop();
      operator.remove();
    }
  });
});
