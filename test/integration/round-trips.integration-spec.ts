import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { Deadline } from '../../src/common/deadline/index.js';
import { FAILURES_PER_ADDRESS } from '../../src/credentials/login-limit-per-address.js';
import { GUESSES_PER_ACCOUNT } from '../../src/credentials/login-limit-per-account.js';
import { RateLimiter } from '../../src/rate-limit/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD, type Answer, type TestUser } from '../support/http-client.js';
import { tableWith } from '../support/markdown.js';
import { addTotp, challengeOf } from '../support/second-factors.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { HASH, Waves } from '../support/waves.js';

/** An operation, and its status. */
type Operation = readonly [answer: () => Promise<Answer<unknown>>, status: number];

const WRONG_PASSWORD = 'not the password at all';
const DOCUMENTED = tableWith('warm read', readFileSync('docs/scaling.md', 'utf8'));

describe('the round trips for which a client waits, one after the other, with one instance:', () => {
  let api: TestApp;
  let waves: Waves;
  beforeAll(async () => {
    api = await startTestApp({ ...WITH_ADMINISTRATOR, TRUSTED_PROXIES: '127.0.0.1' });
    waves = new Waves(api.app);
  });
  afterAll(async () => api.close());

  /** Equals its skeleton: it contains no digits that look like letters. */
  const newName = (): string => `user-${randomUUID().replace(/[01]/g, 'x')}`;
  let addresses = 0;
  /** An IPv4 address that no other login uses. */
  const newAddress = (): string => `10.0.${Math.floor((addresses += 1) / 250)}.${addresses % 250}`;
  const newUser = async (): Promise<TestUser> => api.newUser(newName());

  interface Login {
    readonly username: string;
    readonly password?: string;
    readonly address?: string;
    readonly cookie?: string | undefined;
  }
  const login = async ({
    username,
    password = GOOD_PASSWORD,
    address = newAddress(),
    cookie,
  }: Login): Promise<Answer<unknown>> =>
    api.request('POST', '/api/login', {
      body: { username, password },
      headers: { 'x-forwarded-for': address, ...(cookie === undefined ? {} : { cookie }) },
    });
  /** An address with the maximum number of failed logins. The instance does not know that yet. */
  const blockedAddress = async (): Promise<string> => {
    const address = newAddress();
    const limiter = api.app.get(RateLimiter, { strict: false });
    for (let count = 0; count < FAILURES_PER_ADDRESS.failures; count += 1) {
      const refusal = await limiter.count(FAILURES_PER_ADDRESS, address, Deadline.none);
      expect(refusal).toBeUndefined();
    }
    return address;
  };
  const blockedUser = async (): Promise<string> => {
    const { username } = await newUser();
    for (let count = 0; count < GUESSES_PER_ACCOUNT.failures; count += 1) {
      expect((await login({ username, password: WRONG_PASSWORD })).status).toBe(401);
    }
    return username;
  };
  const knownDevice = async (): Promise<Login & { readonly tokens: TestUser['tokens'] }> => {
    const { username, tokens } = await newUser();
    const { headers } = await login({ username });
    return { username, tokens, cookie: headers.get('set-cookie')!.split(';')[0]! };
  };
  const warmUser = async (): Promise<TestUser> => {
    const user = await newUser();
    await api.ownUser(user.tokens.access_token);
    return user;
  };
  const logoutBy = (refresh_token: string): (() => Promise<Answer<unknown>>) => {
    return async () => api.request('POST', '/api/logout', { body: { refresh_token } });
  };

  const NOTE = 'begin-user-change wait';
  const RESERVED = [['begin-attempt'], ['begin-guess', 'find-name'], ['find-user']];
  const REFUSED = [...RESERVED, [HASH], ['end-attempt', 'end-guess']];

  it.each<[string, () => Operation | Promise<Operation>, string[][]]>([
    [
      'registration',
      () => [async () => api.register(newName()), 201],
      [
        ['begin-attempt'],
        ['claim-name wait', NOTE],
        [HASH],
        ['create-user wait', 'confirm-name wait'],
      ],
    ],
    [
      'registration, name with look-alikes',
      () => [async () => api.register(`${newName()}-1`), 201],
      [
        ['begin-attempt'],
        ['claim-name wait', NOTE],
        ['claim-name wait', HASH],
        ['create-user wait', 'confirm-name wait', 'confirm-name wait'],
      ],
    ],
    [
      'registration, taken name',
      async () => {
        const { username } = await newUser();
        return [async () => api.register(username), 409];
      },
      [['begin-attempt'], ['claim-name wait', NOTE], ['prevent-user wait']],
    ],
    [
      'login',
      async () => {
        const { username } = await newUser();
        return [async () => login({ username }), 200];
      },
      [...RESERVED, [HASH], ['start-session wait', 'end-attempt', 'end-guess']],
    ],
    [
      'login, known device',
      async () => {
        const device = await knownDevice();
        return [async () => login(device), 200];
      },
      [['find-name'], ['find-user'], ['begin-guess'], [HASH], ['start-session wait', 'end-guess']],
    ],
    [
      'login, device whose cookie has ended',
      async () => {
        const { username, cookie, tokens } = await knownDevice();
        const password = 'ninety green balloons over';
        const body = { currentPassword: GOOD_PASSWORD, newPassword: password };
        await api.request('PUT', '/api/user/password', { token: tokens.access_token, body });
        return [async () => login({ username, password, cookie }), 200];
      },
      [
        ['find-name'],
        ['find-user'],
        ['begin-attempt'],
        ['begin-guess'],
        [HASH],
        ['start-session wait', 'end-attempt', 'end-guess'],
      ],
    ],
    [
      'login, second factor required',
      async () => {
        const { username, tokens } = await newUser();
        await addTotp(api, tokens);
        return [async () => login({ username }), 403];
      },
      [
        ...RESERVED,
        [HASH],
        ['start-session wait', 'end-attempt', 'end-guess'],
        ['begin-login wait'],
      ],
    ],
    [
      'second step of a login',
      async () => {
        const { username, tokens } = await newUser();
        const { codes } = await addTotp(api, tokens);
        const { challenge } = await challengeOf(api, username);
        const body = { challenge, code: codes[0] };
        return [async () => api.request('POST', '/api/login/second-factor', { body }), 200];
      },
      [
        ['find-user'],
        ['begin-guess'],
        ['find-factors wait'],
        ['use-factor wait'],
        ['end-guess'],
        ['start-session wait'],
      ],
    ],
    [
      'refused login',
      async () => {
        const { username } = await newUser();
        return [async () => login({ username, password: WRONG_PASSWORD }), 401];
      },
      REFUSED,
    ],
    ['refused login', () => [async () => login({ username: newName() }), 401], REFUSED],
    [
      'login, account at its limit',
      async () => {
        const username = await blockedUser();
        return [async () => login({ username }), 429];
      },
      [['begin-attempt'], ['begin-guess', 'find-name'], ['end-attempt']],
    ],
    [
      'login, address known to be at its limit',
      async () => {
        const address = await blockedAddress();
        const attempt = async () => login({ username: newName(), address });
        expect((await attempt()).status).toBe(429);
        return [attempt, 429];
      },
      [],
    ],
    [
      'login, address at its limit',
      async () => {
        const address = await blockedAddress();
        return [async () => login({ username: newName(), address }), 429];
      },
      [['begin-attempt']],
    ],
    [
      'refresh',
      async () => {
        const { tokens } = await warmUser();
        return [async () => api.refresh(tokens.refresh_token), 200];
      },
      [['find-user', 'session-authentication'], ['rotate-refresh-token wait']],
    ],
    [
      'logout',
      async () => {
        const { tokens } = await warmUser();
        return [async () => api.logout(tokens.access_token), 204];
      },
      [['end-session wait']],
    ],
    [
      'logout, refresh token',
      async () => {
        const { tokens } = await warmUser();
        return [logoutBy(tokens.refresh_token), 204];
      },
      [['check-session wait'], ['end-session wait']],
    ],
    [
      'second factors of a user',
      async () => {
        const { id } = await newUser();
        const { body } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
        const options = { token: body.access_token };
        await api.ownUser(options.token);
        return [async () => api.request('GET', `/api/users/${id}/factors`, options), 200];
      },
      [['find-user', 'find-factors wait']],
    ],
    [
      'cold read',
      async () => {
        const { tokens } = await newUser();
        return [async () => api.ownUser(tokens.access_token), 200];
      },
      [['use-session wait']],
    ],
    [
      'warm read',
      async () => {
        const { tokens } = await warmUser();
        return [async () => api.ownUser(tokens.access_token), 200];
      },
      [],
    ],
  ])('%s', async (name, prepare, expected) => {
    const [answer, status] = await prepare();

    await waves.run(expected, async () => expect((await answer()).status).toBe(status));

    const roundTrips = expected.filter((wave) => wave.some((step) => step !== HASH));
    const waits = roundTrips.filter((wave) => wave.some((step) => step.endsWith(' wait')));
    const [, ...documented] = DOCUMENTED.find(([operation]) => operation === name)!;
    expect(documented.slice(0, 2).map((cell) => Number.parseInt(cell, 10))).toEqual([
      roundTrips.length,
      waits.length,
    ]);
  });
});
