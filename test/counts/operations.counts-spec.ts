import { randomUUID } from 'node:crypto';

import { GOOD_PASSWORD, type Answer, type TestUser } from '../support/http-client.js';
import { startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { RedisCostMeter, type RedisCost } from '../support/redis-cost.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const ADMINISTRATOR = 'operator';
const NOTHING: RedisCost = { roundTrips: [], commands: '' };

/**
 * What each operation costs Redis, exactly. `finish-changes` is not waited for; the client has to wait for every other
 * round trip. Whoever changes one of these numbers on purpose changes `docs/scaling.md` as well.
 */
describe('an operation costs Redis', () => {
  let own: OwnCluster;
  let meter: RedisCostMeter;
  let api: TestApp;
  let variables: Record<string, string>;
  beforeAll(async () => {
    own = await startOwnCluster();
    meter = new RedisCostMeter(own);
    await meter.loadScripts();
    variables = {
      ...own.variables,
      // A lease that needs few renewals while the test counts.
      NEAR_CACHE_LEASE: '60s',
      REDIS_KEY_PREFIX: 't-counts:',
      BOOTSTRAP_ADMIN_USERNAME: ADMINISTRATOR,
      BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
    };
    api = await startTestApp(variables);
  });
  afterAll(async () => {
    await api.close();
    meter.close();
    await own.remove();
  });

  const expectStatus = async (expected: number, answer: Promise<Answer<unknown>>): Promise<void> =>
    expect((await answer).status).toBe(expected);
  const newName = (): Promise<string> => Promise.resolve(`user-${randomUUID()}`);
  const coldUser = async (): Promise<TestUser> => api.newUser();
  const warmUser = async (): Promise<TestUser> => {
    const user = await api.newUser();
    await api.ownUser(user.tokens.access_token);
    return user;
  };

  it('for a registration', async () => {
    expect(await meter.of(newName, (name) => expectStatus(201, api.register(name)))).toEqual({
      roundTrips: ['claim-name wait', 'create-user wait', 'confirm-name wait', 'confirm-user wait'],
      commands:
        'evalsha 4, exists 2, get 2, hget 1, hgetall 1, hset 2, persist 1, pexpire 1, pttl 1, set 2, time 1',
    });
  });

  it('for a login', async () => {
    expect(
      await meter.of(coldUser, ({ username }) => expectStatus(200, api.login(username))),
    ).toEqual({
      roundTrips: [
        'begin-attempt',
        'begin-attempt',
        'find-name',
        'find-user',
        'end-attempt',
        'start-session wait',
        'end-attempt',
      ],
      commands:
        'del 1, evalsha 7, get 1, hget 2, hgetall 2, hmget 1, hset 1, pexpire 3, pttl 1, set 1, time 3, zadd 2, ' +
        'zcard 4, zrem 2, zremrangebyscore 4, zscore 2',
    });
  });

  it('for the first read with a token: one round trip', async () => {
    expect(
      await meter.of(coldUser, ({ tokens }) => expectStatus(200, api.ownUser(tokens.access_token))),
    ).toEqual({
      roundTrips: ['use-session wait'],
      commands: 'evalsha 1, exists 1, hget 1, hmget 2, hset 1, time 1',
    });
  });

  it('for all further reads: nothing', async () => {
    const readOften = async ({ tokens }: TestUser): Promise<void> => {
      for (let count = 0; count < 200; count += 1) {
        await expectStatus(200, api.ownUser(tokens.access_token));
      }
    };

    expect(await meter.of(warmUser, readOften)).toEqual(NOTHING);
  });

  it('for a refresh', async () => {
    expect(
      await meter.of(warmUser, ({ tokens }) =>
        expectStatus(200, api.refresh(tokens.refresh_token)),
      ),
    ).toEqual({
      roundTrips: ['find-user', 'rotate-refresh-token wait'],
      commands: 'evalsha 2, hget 2, hgetall 1, hmget 1, hset 1, set 2, time 1',
    });
  });

  const change = 'evalsha 4, get 2, hgetall 2, hmget 1, hset 2, pexpire 2, set 2, spublish 1, ';

  it('for a change of the own profile', async () => {
    const rename = async ({ tokens }: TestUser): Promise<void> =>
      expectStatus(
        200,
        api.request('PATCH', '/api/user', {
          token: tokens.access_token,
          body: { displayName: 'Ada' },
        }),
      );

    expect(await meter.of(warmUser, rename)).toEqual({
      roundTrips: ['begin-change wait', 'change-user wait', 'append-change wait', 'finish-changes'],
      commands: `${change}time 3, zadd 2, zrem 1, zremrangebyscore 1`,
    });
  });

  it('for new roles, given by an administrator', async () => {
    const { body: administrator } = await api.login(ADMINISTRATOR);
    const withWarmAdministrator = async (): Promise<TestUser> => {
      await api.ownUser(administrator.access_token);
      return warmUser();
    };
    const promote = async ({ id }: TestUser): Promise<void> =>
      expectStatus(
        200,
        api.request('PATCH', `/api/users/${id}`, {
          token: administrator.access_token,
          body: { roles: ['admin'] },
        }),
      );

    expect(await meter.of(withWarmAdministrator, promote)).toEqual({
      roundTrips: [
        'add-administrator wait',
        'begin-change wait',
        'change-user wait',
        'append-change wait',
        'finish-changes',
      ],
      commands: `${change.replace('evalsha 4', 'evalsha 5')}time 4, zadd 3, zrem 1, zremrangebyscore 1, zscore 1`,
    });
  });

  it('for disabling a user who is no administrator', async () => {
    const { body: administrator } = await api.login(ADMINISTRATOR);
    const withWarmAdministrator = async (): Promise<TestUser> => {
      await api.ownUser(administrator.access_token);
      return warmUser();
    };
    const disable = async ({ id }: TestUser): Promise<void> =>
      expectStatus(
        200,
        api.request('PATCH', `/api/users/${id}`, {
          token: administrator.access_token,
          body: { disabled: true },
        }),
      );

    expect((await meter.of(withWarmAdministrator, disable)).roundTrips).toEqual([
      'begin-change wait',
      'change-user wait',
      'append-change wait',
      'finish-changes',
    ]);
  });

  it('for a new password', async () => {
    const body = { currentPassword: GOOD_PASSWORD, newPassword: 'ninety green balloons over' };
    const changePassword = async ({ tokens }: TestUser): Promise<void> =>
      expectStatus(
        204,
        api.request('PUT', '/api/user/password', { token: tokens.access_token, body }),
      );

    expect(await meter.of(warmUser, changePassword)).toEqual({
      roundTrips: [
        'find-user',
        'begin-attempt',
        'find-name',
        'find-user',
        'end-attempt',
        'begin-change wait',
        'change-user wait',
        'append-change wait',
        'finish-changes',
      ],
      commands:
        'del 1, evalsha 9, get 3, hget 3, hgetall 4, hmget 1, hset 4, pexpire 3, set 2, spublish 1, time 4, zadd 3, ' +
        'zcard 2, zrem 2, zremrangebyscore 3, zscore 1',
    });
  });

  it('for a list of sessions', async () => {
    const list = async ({ tokens }: TestUser): Promise<void> =>
      expectStatus(200, api.request('GET', '/api/user/sessions', { token: tokens.access_token }));

    expect(await meter.of(warmUser, list)).toEqual({
      roundTrips: ['list-sessions'],
      commands: 'evalsha 1, hget 1, hgetall 1, time 1',
    });
  });

  const logoutCommands =
    'evalsha 4, get 2, hget 2, hgetall 1, hset 1, pexpire 2, set 2, spublish 1, time 3, zadd 2, zrem 1, ' +
    'zremrangebyscore 1';

  it('for a logout', async () => {
    const logout = ({ tokens }: TestUser): Promise<void> =>
      expectStatus(204, api.logout(tokens.access_token));

    expect(await meter.of(warmUser, logout)).toEqual({
      roundTrips: ['begin-change wait', 'end-session wait', 'append-change wait', 'finish-changes'],
      commands: logoutCommands,
    });
  });

  describe('while another instance runs', () => {
    let other: TestApp;
    beforeAll(async () => {
      other = await startTestApp(variables);
    });
    afterAll(async () => other.close());

    const readThere = ({ tokens }: TestUser): Promise<void> =>
      expectStatus(200, other.ownUser(tokens.access_token));

    // Passport is one for the whole process, and asks the instance that was made last: only that one is asked to read.
    const warmThere = async (): Promise<TestUser> => {
      const user = await coldUser();
      await readThere(user);
      return user;
    };

    it('for the first read there: one round trip', async () => {
      expect(await meter.of(coldUser, readThere)).toEqual({
        roundTrips: ['use-session wait'],
        commands: 'evalsha 1, exists 1, hget 1, hmget 2, hset 1, time 1',
      });
    });

    it('for all further reads there: nothing', async () => {
      expect(await meter.of(warmThere, readThere)).toEqual(NOTHING);
    });

    it('for a logout: one message more for each further instance', async () => {
      const logout = ({ tokens }: TestUser): Promise<void> =>
        expectStatus(204, other.logout(tokens.access_token));

      expect(await meter.of(warmThere, logout)).toEqual({
        roundTrips: [
          'begin-change wait',
          'end-session wait',
          'append-change wait',
          'spublish',
          'finish-changes',
        ],
        commands: logoutCommands.replace('spublish 1', 'spublish 2'),
      });
    });
  });
});
