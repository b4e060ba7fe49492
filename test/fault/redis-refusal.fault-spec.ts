import { inspect } from 'node:util';

import { Deadline } from '../../src/common/deadline/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import type { Answer } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { luaScript } from '../support/lua-script.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { testSettings } from '../support/test-app.js';

const MAX_RESPONSE_MS = 2000;
const RECOVERY_MS = 15_000;
const WRONG_PASSWORD = 'not-the-password-of-redis';
const WRONG_USER =
  /"msg":"Redis refuses the user: check REDIS_USERNAME and REDIS_PASSWORD, [^"]*"/g;
const MISSING_RIGHT = /"msg":"Redis refuses the user .*: give it the rights that .*redis-acl/g;

/** Redis rejects the user or a command. An operator must fix it, so the instance logs it. */
describe('with a user that Redis rejects (94, 98)', () => {
  let own: OwnCluster;
  let instance: Instance;
  beforeAll(async () => (own = await startOwnCluster()));
  afterEach(async () => {
    await instance.stop();
    await own.restoreUser();
  });
  afterAll(async () => own.removeDespiteRefusals());

  const timed = async (send: () => Promise<Answer<unknown>>): Promise<Answer<unknown>> => {
    const begin = performance.now();
    const answer = await send();
    expect(performance.now() - begin).toBeLessThan(MAX_RESPONSE_MS);
    return answer;
  };
  const expectUnavailable = async (send: () => Promise<Answer<unknown>>): Promise<void> => {
    const answer = await timed(send);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expectNoSecret(JSON.stringify(answer.body));
  };
  const expectNotReady = async (): Promise<void> => {
    await eventually('it is not ready', 5000, async () => {
      const { status, body } = await timed(() => instance.request('GET', '/health/ready'));
      expectNoSecret(JSON.stringify(body));
      return status === 503;
    });
    expect((await instance.request('GET', '/health/live')).status).toBe(200);
  };
  const expectReady = async (): Promise<void> => {
    await eventually('it is ready', RECOVERY_MS, async () => {
      const { status } = await instance.request('GET', '/health/ready');
      return status === 200;
    });
  };
  /** 96, including text from error messages of Redis that would reveal the user's name. */
  const expectNoSecret = (text: string): void => {
    for (const secret of [
      WRONG_PASSWORD,
      own.variables.REDIS_PASSWORD,
      own.variables.REDIS_USERNAME,
    ]) {
      expect(text).not.toContain(secret);
    }
  };
  const told = (pattern: RegExp): string[] => instance.output().match(pattern) ?? [];

  it('starts, logs the problem once without the user name (96), and recovers after the fix', async () => {
    instance = await Instance.launch({
      LOG_LEVEL: 'trace',
      ...own.variables,
      REDIS_PASSWORD: WRONG_PASSWORD,
    });

    await expectUnavailable(() => instance.login('somebody'));
    await expectNotReady();
    expect(told(WRONG_USER)).toHaveLength(1);

    await own.changeUser(`>${WRONG_PASSWORD}`);
    await instance.untilReady();
    expect((await instance.register('somebody')).status).toBe(201);
    await expectReady();
    expectNoSecret(instance.output());
  });

  it('answers 503 while the user does not exist, and logs the reason', async () => {
    instance = await Instance.start({ LOG_LEVEL: 'trace', ...own.variables });
    const user = await instance.newUser();

    for (const port of own.cluster.pids.keys()) {
      await own.cluster.call(port, 'ACL', 'DELUSER', own.variables.REDIS_USERNAME);
    }
    await expectUnavailable(() => instance.login(user.username));
    await expectNotReady();
    await expectUnavailable(() => instance.ownUser(user.tokens.access_token));
    expect(told(WRONG_USER)).toHaveLength(1);

    await own.restoreUser();
    await expectReady();
    expect((await instance.ownUser(user.tokens.access_token)).status).toBe(200);
    expectNoSecret(instance.output());
  });

  it('logs that the right to its channels is missing, and needs it only to reach other holders', async () => {
    instance = await Instance.start({ LOG_LEVEL: 'trace', ...own.variables });
    const user = await instance.newUser();

    await own.changeUser('resetchannels');
    for (const port of own.cluster.pids.keys()) {
      await own.cluster.call(port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    }
    await eventually('it is told', 5000, () =>
      Promise.resolve(told(MISSING_RIGHT).join().includes('a key, a channel or a command')),
    );

    // Posts are read at each renewal of the lease.
    await expectReady();
    const token = user.tokens.access_token;
    expect((await instance.request('POST', '/api/logout', { token })).status).toBe(204);

    await own.restoreUser();
    await expectReady();
    expectNoSecret(instance.output());
  });

  it.each([
    ['scripts', ['-evalsha'], 'the command evalsha'],
    ['a command within scripts', ['-hset'], 'a key, a channel or a command'],
    ['the proof of writes', ['-wait'], 'the command wait'],
    ['the list of nodes', ['-cluster|nodes'], 'the command cluster|nodes'],
    ['the slots', ['-cluster|slots'], 'the command cluster|slots'],
  ])(
    'answers 503 without the right to %s, and logs which right is missing',
    async (_, rules, what) => {
      instance = await Instance.start({ LOG_LEVEL: 'trace', ...own.variables });
      const user = await instance.newUser();
      const send = (): Promise<Answer<unknown>> =>
        instance.request('POST', '/api/logout', { token: user.tokens.access_token });

      await own.changeUser(...rules);
      for (const port of own.cluster.pids.keys()) {
        await own.cluster.call(port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
      }
      await eventually('it is told', 5000, () =>
        Promise.resolve(told(MISSING_RIGHT).join().includes(what)),
      );
      if (rules[0] !== '-cluster|slots') {
        await expectUnavailable(send);
        await expectNotReady();
      }

      await own.restoreUser();
      await expectReady();
      expect([204, 401]).toContain((await send()).status);
      expect((await instance.ownUser(user.tokens.access_token)).status).toBe(401);
      expectNoSecret(instance.output());
    },
  );
});

describe('the user and the password of Redis (96)', () => {
  it('are not in any error or its causes, and not in the client list', async () => {
    const own = await startOwnCluster();
    const read = luaScript(`-- KEYS[1] a key\nreturn redis.call('GET', KEYS[1])`);
    const settings = testSettings(own.variables).redis;
    const stranger = testSettings({ ...own.variables, REDIS_PASSWORD: WRONG_PASSWORD }).redis;
    const clusters = [new RedisCluster(settings), new RedisCluster(stranger)] as const;
    const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => undefined,
        (error: unknown) => error,
      );
    await clusters[0].run(read, [clusters[0].keys.key(['test', 'x'], 'y')], [], Deadline.none);

    const errors = await Promise.all([
      errorOf(clusters[0].run(read, ['of-others'], [], Deadline.none)),
      errorOf(clusters[0].runDurably(read, ['of-others'], [], Deadline.none)),
      errorOf(clusters[1].run(read, ['t-x'], [], Deadline.none)),
      errorOf(clusters[1].runDurably(read, ['t-x'], [], Deadline.none)),
    ]);

    expect(errors.every((error) => error instanceof Error)).toBe(true);
    const text = inspect(errors, { depth: null, showHidden: true });
    const ports = [...own.cluster.pids.keys()];
    const lists = await Promise.all(ports.map((port) => own.cluster.call(port, 'CLIENT', 'LIST')));
    const names = lists.join().match(/(?<= name=)\S*/g)!;
    expect(names.length).toBeGreaterThan(6);
    for (const secret of [WRONG_PASSWORD, own.variables.REDIS_PASSWORD]) {
      expect(text + lists.join()).not.toContain(secret);
    }
    expect(text + names.join()).not.toContain(own.variables.REDIS_USERNAME);
    await Promise.all(clusters.map(async (cluster) => cluster.onApplicationShutdown()));
    await own.removeDespiteRefusals();
  });
});
