import { jest } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';

import { LOOKUP_BURST, LOOKUP_INTERVAL_MS } from '../../src/common/lookup-budget/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { MailDelivery } from '../../src/mail/outbox/mail-delivery.js';
import { RedisUserDirectory } from '../../src/users/directory/redis-user-directory.js';
import { HashingQueue } from '../../src/users/index.js';
import { ACCOUNTS, type Accounts } from '../../src/users/store/accounts.js';
import { GOOD_PASSWORD, type Answer, type TestUser } from '../support/http-client.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { RedisCostMeter, type RedisCost } from '../support/redis-cost.js';
import {
  basic,
  createAccount,
  postForm,
  tokenOf,
  type TestAccount,
} from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const ADMINISTRATOR = 'operator';
/** Few enough to leave the event loop idle most of the time. */
const PRESENTED_AT_ONCE = 20;
/** What follows a change of roles, state or address, after the answer. */
const CORRECTION = [
  'end-user-change',
  'list-entry',
  'find-profile-confirmed wait',
  'correct-entry wait',
];
const NOTHING: RedisCost = { roundTrips: [], commands: '' };

/**
 * The exact cost of each operation in Redis. `finish-changes` is not awaited; the client waits for every other
 * round trip. If you change one of these numbers on purpose, change `docs/scaling.md`, too. Which scripts run in parallel is
 * tested by `test/integration/round-trips.integration-spec.ts`.
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
      // A long lease, so that few renewals occur while the test counts.
      NEAR_CACHE_LEASE: '60s',
      // No client waits for the trail: test/integration/audit-trail.integration-spec.ts counts its calls.
      AUDIT_RETENTION: '0',
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
  /** Also waits for the correction of the directory of users, for which no client waits. */
  const corrected = async (userId: string, change: () => Promise<void>): Promise<void> => {
    const correct = jest.spyOn(RedisUserDirectory.prototype, 'correct');
    const indexOfCall = (): number => correct.mock.calls.findIndex(([id]) => id === userId);
    await change();
    await eventually('the directory is corrected', 5000, () => Promise.resolve(indexOfCall() >= 0));
    await correct.mock.results[indexOfCall()]!.value;
    correct.mockRestore();
  };
  /** Equals its skeleton: it contains no digits that look like letters. */
  const newName = (): Promise<string> =>
    Promise.resolve(`user-${randomUUID().replace(/[01]/g, 'x')}`);
  const coldUser = async (): Promise<TestUser> => api.newUser();
  const warmUser = async (): Promise<TestUser> => {
    const user = await api.newUser();
    await api.ownUser(user.tokens.access_token);
    return user;
  };

  /**
   * The order and the number of scripts that run in parallel are not fixed: writes for the same master share a round trip.
   */
  const inAnyOrder = ({ roundTrips, commands }: RedisCost): object => ({
    scripts: roundTrips
      .flatMap((text) => text.split(' '))
      .filter((name) => name !== 'wait')
      .sort(),
    commands,
  });

  it('for a registration', async () => {
    const register = (name: string): Promise<void> => expectStatus(201, api.register(name));
    expect(inAnyOrder(await meter.of(newName, register))).toEqual({
      scripts: [
        'begin-attempt',
        'begin-user-change',
        'claim-name',
        'confirm-name',
        'create-user',
        'end-user-change',
      ],
      commands:
        'evalsha 6, exists 1, get 3, hget 2, hgetall 1, hset 3, pexpire 1, pttl 1, set 3, time 4, zadd 3, zcard 2, zrem 1, zremrangebyscore 2, zscore 1',
    });
  });

  it('for a registration of a name with look-alikes: two claims', async () => {
    const name = async (): Promise<string> => `${await newName()}-1`;
    const register = (one: string): Promise<void> => expectStatus(201, api.register(one));

    expect(inAnyOrder(await meter.of(name, register))).toEqual({
      scripts: [
        'begin-attempt',
        'begin-user-change',
        'claim-name',
        'claim-name',
        'confirm-name',
        'confirm-name',
        'create-user',
        'end-user-change',
      ],
      commands:
        'evalsha 8, exists 1, get 5, hget 2, hgetall 1, hset 3, pexpire 1, pttl 2, set 5, time 5, zadd 3, zcard 2, zrem 1, zremrangebyscore 2, zscore 1',
    });
  });

  it('for a login', async () => {
    const login = ({ username }: TestUser): Promise<void> => expectStatus(200, api.login(username));
    expect(inAnyOrder(await meter.of(coldUser, login))).toEqual({
      scripts: [
        'begin-attempt',
        'begin-guess',
        'end-attempt',
        'end-guess',
        'find-name',
        'find-user',
        'start-session',
      ],
      commands:
        'evalsha 7, get 2, hdel 2, hget 3, hgetall 4, hmget 2, hset 2, pexpire 3, pttl 2, time 3, zadd 1, zcard 2, zrem 1, zremrangebyscore 2, zscore 1',
    });
  });

  it('for a login from a known device: without the counter of its address', async () => {
    const knownDevice = async (): Promise<{ username: string; cookie: string }> => {
      const { username } = await api.newUser();
      const { headers } = await api.login(username);
      return { username, cookie: headers.get('set-cookie')!.split(';')[0]! };
    };
    const login = ({ username, cookie }: { username: string; cookie: string }): Promise<void> => {
      const body = { username, password: GOOD_PASSWORD };
      return expectStatus(200, api.request('POST', '/api/login', { body, headers: { cookie } }));
    };

    expect(inAnyOrder(await meter.of(knownDevice, login))).toMatchObject({
      scripts: ['begin-guess', 'end-guess', 'find-name', 'find-user', 'start-session'],
    });
  });

  describe('for a refused login, the same for every cause (66):', () => {
    const disabledUser = async (): Promise<string> => {
      const user = await api.newUser();
      const { body: operator } = await api.login(ADMINISTRATOR);
      const body = { disabled: true };
      const token = operator.access_token;
      await corrected(user.id, async () =>
        expectStatus(200, api.request('PATCH', `/api/users/${user.id}`, { token, body })),
      );
      return user.username;
    };
    const deletedUser = async (): Promise<string> => {
      const { id, username, tokens } = await api.newUser();
      const body = { password: GOOD_PASSWORD };
      await corrected(id, async () =>
        expectStatus(204, api.request('DELETE', '/api/user', { token: tokens.access_token, body })),
      );
      return username;
    };

    it.each<[string, () => Promise<string>, string]>([
      ['a name that nobody has', newName, GOOD_PASSWORD],
      ['a wrong password', async () => (await api.newUser()).username, 'not the password at all'],
      ['a disabled user’s wrong password', disabledUser, 'not the password at all'],
      ['a disabled user’s right password', disabledUser, GOOD_PASSWORD],
      ['a deleted user', deletedUser, GOOD_PASSWORD],
    ])('%s', async (_, name, password) => {
      const hashes = jest.spyOn(HashingQueue.prototype, 'verify');
      const refuse = async (username: string): Promise<void> => {
        hashes.mockClear();
        await expectStatus(401, api.login(username, password));
      };

      expect(inAnyOrder(await meter.of(name, refuse))).toEqual({
        scripts: [
          'begin-attempt',
          'begin-guess',
          'end-attempt',
          'end-guess',
          'find-name',
          'find-user',
        ],
        commands:
          'evalsha 6, get 2, hdel 1, hget 3, hgetall 2, hset 2, pexpire 4, pttl 2, time 4, zadd 2, zcard 2, zrem 1, zremrangebyscore 2, zscore 1',
      });
      expect(hashes).toHaveBeenCalledTimes(1);
      hashes.mockRestore();
    });
  });

  it('for the first read with a token: one round trip', async () => {
    expect(
      await meter.of(coldUser, ({ tokens }) => expectStatus(200, api.ownUser(tokens.access_token))),
    ).toEqual({
      roundTrips: ['use-session wait'],
      commands: 'evalsha 1, hget 3, hlen 1, hmget 2, hset 2, pexpire 1, pttl 1, time 2',
    });
  });

  /** A token of a live session with valid claims and an invalid signature. */
  const forgeryOf = ({ tokens }: TestUser): string => {
    const [header, payload] = tokens.access_token.split('.');
    return [header, payload, randomBytes(64).toString('base64url')].join('.');
  };
  const presentForgeries = async (user: TestUser, count: number): Promise<void> => {
    for (let presented = 0; presented < count; presented += PRESENTED_AT_ONCE) {
      const forgeries = Array.from({ length: PRESENTED_AT_ONCE }, () => forgeryOf(user));
      await Promise.all(forgeries.map((token) => expectStatus(401, api.ownUser(token))));
    }
  };

  it('for the first read with a token, among forged tokens: one round trip', async () => {
    const coldUserAmongForgeries = async (): Promise<TestUser> => {
      const user = await coldUser();
      await presentForgeries(user, 2 * LOOKUP_BURST);
      return user;
    };

    expect(
      await meter.of(coldUserAmongForgeries, ({ tokens }) =>
        expectStatus(200, api.ownUser(tokens.access_token)),
      ),
    ).toEqual({
      roundTrips: ['use-session wait'],
      commands: 'evalsha 1, hget 3, hlen 1, hmget 2, hset 2, pexpire 1, pttl 1, time 2',
    });
  });

  it('for each further read: no round trip', async () => {
    const readOften = async ({ tokens }: TestUser): Promise<void> => {
      for (let count = 0; count < 200; count += 1) {
        await expectStatus(200, api.ownUser(tokens.access_token));
      }
    };

    expect(await meter.of(warmUser, readOften)).toEqual(NOTHING);
  });

  it('for each further request of a proxy about a token: no round trip', async () => {
    const askOften = async ({ tokens }: TestUser): Promise<void> => {
      const options = { token: tokens.access_token };
      for (let count = 0; count < 50; count += 1) {
        await expectStatus(204, api.request('GET', '/forward-auth', options));
        await expectStatus(200, api.request('DELETE', '/forward-auth/orders/1', options));
        const required = '/forward-auth?permission=users:read';
        await expectStatus(403, api.request('GET', required, options));
      }
    };

    expect(await meter.of(warmUser, askOften)).toEqual(NOTHING);
  });

  it('for a refresh', async () => {
    expect(
      await meter.of(warmUser, ({ tokens }) =>
        expectStatus(200, api.refresh(tokens.refresh_token)),
      ),
    ).toEqual({
      roundTrips: ['find-user', 'session-authentication', 'rotate-refresh-token wait'],
      commands: 'evalsha 3, get 2, hget 4, hgetall 1, hmget 1, hset 1, set 1, time 1',
    });
  });

  it('for a forged refresh token: one round trip, and none after its network has reached the limit', async () => {
    const presented = async (): Promise<Answer<unknown>> => api.refresh(randomUUID());
    const nothing = (): Promise<undefined> => Promise.resolve(undefined);

    expect((await meter.of(nothing, () => expectStatus(401, presented()))).roundTrips).toEqual([
      'begin-attempt',
    ]);

    let isLimited = false;
    for (let count = 0; !isLimited && count <= 100; count += 1) {
      isLimited = (await presented()).status === 429;
    }
    const presentMore = async (): Promise<void> => {
      for (let count = 0; count < 50; count += 1) {
        await expectStatus(429, presented());
      }
    };
    expect(await meter.of(nothing, presentMore)).toEqual(NOTHING);
  });

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
      roundTrips: ['change-user wait', 'finish-changes'],
      commands:
        'evalsha 2, get 1, hdel 1, hget 1, hgetall 2, hmget 1, hset 6, pexpire 1, pttl 1, time 2',
    });
  });

  it('for new roles, assigned by an administrator', async () => {
    const { body: administrator } = await api.login(ADMINISTRATOR);
    const withWarmAdministrator = async (): Promise<TestUser> => {
      await api.ownUser(administrator.access_token);
      return warmUser();
    };
    const promote = async ({ id }: TestUser): Promise<void> =>
      corrected(id, async () =>
        expectStatus(
          200,
          api.request('PATCH', `/api/users/${id}`, {
            token: administrator.access_token,
            body: { roles: ['admin'] },
          }),
        ),
      );

    expect(await meter.of(withWarmAdministrator, promote)).toEqual({
      roundTrips: [
        'add-administrator wait',
        'begin-user-change wait',
        'change-user wait',
        'finish-changes',
        ...CORRECTION,
      ],
      commands:
        'evalsha 8, get 1, hdel 1, hget 5, hgetall 3, hmget 1, hset 9, pexpire 1, pttl 1, set 1, time 6, zadd 3, zrem 1, zscore 1',
    });
  });

  it('for disabling a user who is not an administrator', async () => {
    const { body: administrator } = await api.login(ADMINISTRATOR);
    const withWarmAdministrator = async (): Promise<TestUser> => {
      await api.ownUser(administrator.access_token);
      return warmUser();
    };
    const disable = async ({ id }: TestUser): Promise<void> =>
      corrected(id, async () =>
        expectStatus(
          200,
          api.request('PATCH', `/api/users/${id}`, {
            token: administrator.access_token,
            body: { disabled: true },
          }),
        ),
      );

    expect((await meter.of(withWarmAdministrator, disable)).roundTrips).toEqual([
      'begin-user-change wait',
      'change-user wait',
      'finish-changes',
      ...CORRECTION,
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
      roundTrips: ['find-user', 'begin-guess', 'end-guess', 'change-user wait', 'finish-changes'],
      commands:
        'evalsha 5, get 2, hdel 4, hget 4, hgetall 4, hmget 1, hset 9, pexpire 2, pttl 2, set 1, time 3',
    });
  });

  it('for a list of sessions', async () => {
    const list = async ({ tokens }: TestUser): Promise<void> =>
      expectStatus(200, api.request('GET', '/api/user/sessions', { token: tokens.access_token }));

    expect(await meter.of(warmUser, list)).toEqual({
      roundTrips: ['list-sessions'],
      commands: 'evalsha 1, hgetall 2, hmget 1, time 1',
    });
  });

  it('for the second factors of a user', async () => {
    const { access_token: token } = (await api.login(ADMINISTRATOR)).body;
    await api.ownUser(token);
    const list = async ({ id }: TestUser): Promise<void> =>
      expectStatus(200, api.request('GET', `/api/users/${id}/factors`, { token }));

    expect(inAnyOrder(await meter.of(coldUser, list))).toEqual({
      scripts: ['find-factors', 'find-user'],
      commands: 'evalsha 2, get 2, hget 1, hgetall 2, hmget 1, set 1',
    });
  });

  const logoutCommands =
    'evalsha 2, hdel 1, hget 3, hgetall 1, hmget 1, hset 5, pexpire 1, pttl 1, time 2';

  it('for a logout: one round trip while no other instance holds the session', async () => {
    const logout = ({ tokens }: TestUser): Promise<void> =>
      expectStatus(204, api.logout(tokens.access_token));

    expect(await meter.of(warmUser, logout)).toEqual({
      roundTrips: ['end-session wait', 'finish-changes'],
      commands: logoutCommands,
    });
  });

  const logoutByToken = async ({ tokens: { refresh_token } }: TestUser): Promise<void> =>
    expectStatus(204, api.request('POST', '/api/logout', { body: { refresh_token } }));

  it('for a logout with a refresh token: with a look-up before the logout', async () => {
    expect(await meter.of(warmUser, logoutByToken)).toEqual({
      roundTrips: ['check-session wait', 'end-session wait', 'finish-changes'],
      commands:
        'evalsha 3, hdel 1, hget 5, hgetall 1, hmget 2, hset 5, pexpire 1, pttl 1, set 1, time 3',
    });
  });

  it('for a logout with a refresh token of an ended session: a look-up, but no change', async () => {
    const loggedOut = async (): Promise<TestUser> => {
      const user = await warmUser();
      await logoutByToken(user);
      return user;
    };
    expect((await meter.of(loggedOut, logoutByToken)).roundTrips).not.toContain('end-session wait');
  });

  describe('for a request for a new password, the same for every subject (67):', () => {
    // The mails are sent after the answer, by any instance. Here by none, so that only the answer is counted.
    beforeAll(async () => api.app.get(MailDelivery).beforeApplicationShutdown());

    const confirmedAddress = async (): Promise<object> => {
      const { id } = await api.newUser();
      const email = `${id}@example.com`;
      const change = { email, verifiedEmail: email };
      await corrected(id, async () => {
        await api.app.get<Accounts>(ACCOUNTS).update(id, change, Deadline.none);
      });
      return { email };
    };

    it.each<[string, () => Promise<object>]>([
      ['a name', async () => ({ username: (await api.newUser()).username })],
      ['a name that nobody has', async () => ({ username: await newName() })],
      ['a confirmed address', confirmedAddress],
      ['an address that nobody has', async () => ({ email: `${await newName()}@example.com` })],
    ])('%s', async (_, subject) => {
      const ask = async (body: object): Promise<void> =>
        expectStatus(202, api.request('POST', '/api/password-resets', { body }));

      expect(await meter.of(subject, ask)).toEqual({
        roundTrips: ['begin-attempt', 'add-mail wait'],
        commands:
          'evalsha 2, hget 1, hset 1, pexpire 3, time 2, zadd 2, zcard 2, zremrangebyscore 2, zscore 2',
      });
    });
  });

  describe('for service accounts:', () => {
    let operator: string;
    let asking: TestAccount;
    beforeAll(async () => {
      operator = (await api.login(ADMINISTRATOR)).body.access_token;
      asking = await createAccount(api, operator);
    });
    const GRANT = { grant_type: 'client_credentials' };
    const ofAsking = async (path: string, fields: Record<string, string>): Promise<void> =>
      expectStatus(200, postForm(api, path, fields, basic(asking)));
    const introspect = async (token: string): Promise<void> =>
      ofAsking('/oauth/introspect', { token });
    const often = async (work: () => Promise<void>): Promise<void> => {
      for (let count = 0; count < 200; count += 1) {
        await work();
      }
    };
    const newToken = async (): Promise<string> => {
      const account = await createAccount(api, operator, { permissions: ['roles:read'] });
      return tokenOf(api, account);
    };
    const listRoles = async (token: string): Promise<void> =>
      expectStatus(200, api.request('GET', '/api/roles', { token }));

    it('one look-up of the account for a token that is new to the instance', async () => {
      expect(await meter.of(newToken, listRoles)).toEqual({
        roundTrips: ['read-account wait'],
        commands: 'evalsha 1, hget 2, hlen 1, hset 1, pexpire 1, pttl 1, set 1, time 1',
      });
    });

    it('nothing for a warm token', async () => {
      const warm = async (): Promise<string> => {
        const token = await newToken();
        await listRoles(token);
        return token;
      };
      const read = async (token: string): Promise<void> => often(async () => listRoles(token));
      expect(await meter.of(warm, read)).toEqual(NOTHING);
    });

    it('nothing for further tokens of the same account, and for the request of a token', async () => {
      const warm = async (): Promise<void> => ofAsking('/oauth/token', GRANT);
      const request = async (): Promise<void> => often(async () => ofAsking('/oauth/token', GRANT));
      expect(await meter.of(warm, request)).toEqual(NOTHING);
    });

    it.each<[string, () => Promise<string>]>([
      ['a user', async () => (await api.newUser()).tokens.access_token],
      ['a service account', newToken],
    ])('nothing for an introspection of a warm token of %s', async (_, create) => {
      const warm = async (): Promise<string> => {
        const token = await create();
        await introspect(token);
        return token;
      };
      const ask = async (token: string): Promise<void> => often(async () => introspect(token));
      expect(await meter.of(warm, ask)).toEqual(NOTHING);
    });

    it('one round trip for an introspection of a new token of a user', async () => {
      const create = async (): Promise<string> => {
        await introspect('unknown');
        return (await api.newUser()).tokens.access_token;
      };
      expect((await meter.of(create, introspect)).roundTrips).toEqual(['use-session wait']);
    });

    it('one round trip for an introspection of a refresh token', async () => {
      const create = async (): Promise<string> => {
        await introspect('unknown');
        return (await api.newUser()).tokens.refresh_token;
      };
      expect((await meter.of(create, introspect)).roundTrips).toEqual(['check-refresh-token wait']);
    });

    it('one round trip for the revocation of an access token', async () => {
      const create = async (): Promise<string> => {
        await introspect('unknown');
        return (await api.newUser()).tokens.access_token;
      };
      const revoke = async (token: string): Promise<void> => ofAsking('/oauth/revoke', { token });
      expect((await meter.of(create, revoke)).roundTrips).toEqual(['revoke-token wait']);
    });

    describe('for an unknown client,', () => {
      const present = async (): Promise<Answer<unknown>> =>
        postForm(api, '/oauth/token', GRANT, basic({ ...asking, id: randomUUID() }));
      const presentedUntil429 = async (): Promise<void> => {
        let isLimited = false;
        for (let count = 0; !isLimited && count <= 100; count += 1) {
          isLimited = (await present()).status === 429;
        }
        expect(isLimited).toBe(true);
      };
      const nothing = async (): Promise<void> => ofAsking('/oauth/token', GRANT);

      it('one look-up, and one count of the failure', async () => {
        expect(await meter.of(nothing, () => expectStatus(401, present()))).toEqual({
          roundTrips: ['find-account wait', 'begin-attempt'],
          commands:
            'evalsha 2, hget 1, pexpire 1, set 1, time 1, zadd 1, zcard 2, zremrangebyscore 2, zscore 1',
        });
      });

      it('only a few look-ups after its network has reached the limit, however many it presents', async () => {
        let begin = 0;
        const limited = async (): Promise<void> => {
          await presentedUntil429();
          begin = performance.now();
        };
        const presentMore = async (): Promise<void> => {
          for (let count = 0; count < 10 * LOOKUP_BURST; count += PRESENTED_AT_ONCE) {
            const presented = Array.from({ length: PRESENTED_AT_ONCE }, present);
            await Promise.all(presented.map(async (answer) => expectStatus(429, answer)));
          }
        };

        const { roundTrips } = await meter.of(limited, presentMore);

        const lookups = roundTrips
          .flatMap((text) => text.split(' '))
          .filter((one) => one !== 'wait');
        expect(new Set(lookups)).toEqual(new Set(['find-account']));
        const earned = Math.ceil((performance.now() - begin) / LOOKUP_INTERVAL_MS);
        expect(lookups.length).toBeLessThanOrEqual(LOOKUP_BURST + earned);
        expect(LOOKUP_BURST + earned).toBeLessThan(10 * LOOKUP_BURST);
      });

      it('nothing that locks out right clients of its network', async () => {
        await presentedUntil429();
        const create = async (): Promise<TestAccount> => createAccount(api, operator);
        const cold = await Promise.all(Array.from({ length: 2 * LOOKUP_BURST }, create));

        // Known to this instance.
        await ofAsking('/oauth/token', GRANT);
        // The flood has used the budget up.
        const isAccepted = async (): Promise<boolean> =>
          (await postForm(api, '/oauth/token', GRANT, basic(cold[0]!))).status === 200;
        await eventually('there is a look-up for a right client', 5000, isAccepted);
        for (const account of cold) {
          await expectStatus(200, postForm(api, '/oauth/token', GRANT, basic(account)));
        }
      });
    });
  });

  describe('for a permission of a role of the cluster:', () => {
    let operator: string;
    beforeAll(async () => {
      operator = (await api.login(ADMINISTRATOR)).body.access_token;
      await putRole('role-reader', 'roles:read');
    });
    const putRole = async (name: string, ...permissions: string[]): Promise<void> => {
      const options = { token: operator, body: { permissions } };
      await expectStatus(204, api.request('PUT', `/api/roles/${name}`, options));
    };
    const reader = async (): Promise<TestUser> => {
      const user = await coldUser();
      const options = { token: operator, body: { roles: ['role-reader'] } };
      await expectStatus(200, api.request('PATCH', `/api/users/${user.id}`, options));
      return user;
    };
    const listRoles = async ({ tokens }: TestUser): Promise<void> =>
      expectStatus(200, api.request('GET', '/api/roles', { token: tokens.access_token }));

    it('nothing besides the look-up of the session when the token is new', async () => {
      expect(await meter.of(reader, listRoles)).toEqual({
        roundTrips: ['use-session wait'],
        commands: 'evalsha 1, hget 3, hlen 1, hmget 2, hset 2, pexpire 1, pttl 1, time 2',
      });
    });

    it('nothing when the token is warm', async () => {
      const warmReader = async (): Promise<TestUser> => {
        const user = await reader();
        await listRoles(user);
        return user;
      };
      const readOften = async (user: TestUser): Promise<void> => {
        for (let count = 0; count < 200; count += 1) {
          await listRoles(user);
        }
      };

      expect(await meter.of(warmReader, readOften)).toEqual(NOTHING);
    });

    it('one round trip at the first request after a change of a role', async () => {
      const warmReaderAfterChange = async (): Promise<TestUser> => {
        const user = await reader();
        await listRoles(user);
        await putRole('another', 'orders:read');
        return user;
      };

      expect(await meter.of(warmReaderAfterChange, listRoles)).toEqual({
        roundTrips: ['read-roles wait'],
        commands: 'evalsha 1, hget 1, hgetall 1, hlen 1, hset 1, pexpire 1, pttl 1, set 1, time 1',
      });
    });

    it('one round trip for the change of a role', async () => {
      const change = async (): Promise<void> => putRole('another', 'orders:write');
      const warmOperator = async (): Promise<void> => {
        await expectStatus(200, api.ownUser(operator));
      };

      expect((await meter.of(warmOperator, change)).roundTrips).toEqual([
        'change-role wait',
        'finish-changes',
      ]);
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

    // Passport is global, and uses the instance that was created last. So only that instance reads here.
    const warmThere = async (): Promise<TestUser> => {
      const user = await coldUser();
      await readThere(user);
      return user;
    };

    it('for the first read there: one round trip', async () => {
      expect(await meter.of(coldUser, readThere)).toEqual({
        roundTrips: ['use-session wait'],
        commands: 'evalsha 1, hget 3, hlen 1, hmget 2, hset 2, pexpire 1, pttl 1, time 2',
      });
    });

    it('for each further read there: no round trip', async () => {
      expect(await meter.of(warmThere, readThere)).toEqual(NOTHING);
    });

    it('for a logout that no other instance holds: as with a single instance', async () => {
      const logout = ({ tokens }: TestUser): Promise<void> =>
        expectStatus(204, other.logout(tokens.access_token));

      expect(await meter.of(warmThere, logout)).toEqual({
        roundTrips: ['end-session wait', 'finish-changes'],
        commands: logoutCommands,
      });
    });
  });
});
