import calculateSlot from 'cluster-key-slot';
import { SignJWT } from 'jose';
import { createHash, generateKeyPairSync } from 'node:crypto';

import { connectKeyslot, type Keyslot } from '../../src/guard/index.js';
import { RedisCluster, type LuaScript } from '../../src/redis-cluster/index.js';
import { GOOD_PASSWORD, type Tokens } from '../support/http-client.js';
import { productScripts } from '../support/lua-script.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { codesOf, enrol, newRecoveryCodes } from '../support/second-factors.js';
import { postForm } from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const DIGEST = '[A-Za-z0-9_-]{43}';
const THROTTLED =
  '(?:(?:client|login|one-time-token|refresh|reset|second-factor)-address|reset-account)';

interface Kind {
  readonly name: string;
  /** The key after the prefix: ids and digests, and no personal data (99). */
  readonly pattern: RegExp;
  /** The maximum time to live, in milliseconds. */
  readonly longestMs: number;
  /** Whether keys of this kind may have no expiry. */
  readonly mayLast?: boolean;
}

const kind = (name: string, pattern: string, longestMs: number, mayLast = false): Kind => ({
  name,
  pattern: new RegExp(`^v1:${pattern}$`),
  longestMs,
  mayLast,
});

/** Every kind of key, as in the table of docs/architecture.md. */
const KINDS = [
  kind('user', `\\{user\\.${ID}\\}:record`, 2 * HOUR_MS, true),
  kind('password hash', `\\{user\\.${ID}\\}:password-hash`, 0, true),
  kind('uses noted by services', `\\{user\\.${ID}\\}:uses`, 30 * DAY_MS),
  kind('second factors', `\\{user\\.${ID}\\}:factors`, 0, true),
  kind('pending login', `\\{user\\.${ID}\\}:pending-login:${DIGEST}`, 5 * MINUTE_MS),
  kind('sessions', `\\{user\\.${ID}\\}:sessions`, 90 * DAY_MS + 2 * HOUR_MS),
  kind('refresh answer', `\\{user\\.${ID}\\}:refresh-answer:${ID}`, 10 * SECOND_MS),
  kind(
    'fence',
    `\\{(?:user\\.${ID}|administrators\\.registry|keys\\.signing|roles\\.all|service-accounts\\.all)\\}:fence`,
    SECOND_MS,
  ),
  kind('administrators', '\\{administrators\\.registry\\}:candidates', 0, true),
  kind('removals of administrators', '\\{administrators\\.registry\\}:removals', 2 * HOUR_MS),
  kind('directory of users', '\\{user-directory\\.[0-9a-f]\\}:(?:terms|entries|due)', 0, true),
  kind('one-time tokens', `\\{user\\.${ID}\\}:one-time-tokens`, DAY_MS),
  kind('outbox for mails', '\\{mail-outbox\\.[0-3]\\}:(?:due|entries|failed|sent)', 14 * DAY_MS),
  kind(
    'audit trail',
    '\\{audit\\.[0-9a-f]\\}:(?:all|(?:events|type):[A-Za-z0-9_-]{11})',
    90 * DAY_MS,
  ),
  kind('audit trail of a user', `\\{audit-user\\.${ID}\\}:(?:entries|refusals)`, 90 * DAY_MS),
  kind('name', `\\{name\\.${DIGEST}\\}:owner`, 0, true),
  kind('signing key', '\\{keys\\.signing\\}:set', 0, true),
  kind('roles', '\\{roles\\.all\\}:set', 0, true),
  kind('service accounts', '\\{service-accounts\\.all\\}:accounts', 0, true),
  kind('names of service accounts', '\\{service-accounts\\.all\\}:names', 0, true),
  kind('credentials of service accounts', '\\{service-accounts\\.all\\}:credentials', 0, true),
  kind('deleted service account', `\\{service-accounts\\.all\\}:deleted:${ID}`, 2 * HOUR_MS),
  kind('used assertion', `\\{client-assertion\\.${DIGEST}\\}:used`, 370 * SECOND_MS),
  kind('holders', `\\{(?:user\\.${ID}|keys\\.signing|roles\\.all)\\}:holders`, DAY_MS),
  kind('holders of a service account', `\\{service-accounts\\.all\\}:holders:${ID}`, HOUR_MS),
  kind('inbox', `\\{inbox\\.${ID}\\}:(?:state|posts)`, 2 * DAY_MS),
  kind('instances', '\\{instances\\.registry\\}:(?:list|reports)', MINUTE_MS),
  kind('failures', `\\{${THROTTLED}\\.${DIGEST}\\}:failed`, 15 * MINUTE_MS),
  kind(
    'registrations and mails',
    `\\{(?:registration-address|verification-account|administered-mail)\\.${DIGEST}\\}:failed`,
    HOUR_MS,
  ),
  kind('changes of an address', `\\{address-change\\.${DIGEST}\\}:failed`, HOUR_MS),
  kind(
    'attempt',
    `\\{(?:registration-address|verification-account|administered-mail|${THROTTLED})\\.${DIGEST}\\}:under-way`,
    30 * SECOND_MS,
  ),
  kind('guesses', `\\{password-account\\.${DIGEST}\\}:guesses`, 3 * DAY_MS),
  kind('guesses of codes', `\\{second-factor-account\\.${DIGEST}\\}:guesses`, 3 * DAY_MS),
];

/** Scripts that only run after a script that creates data with the lifetime of a request. */
const LAST_STEPS = new Set([
  'end-attempt.lua',
  'end-guess.lua',
  'finish-changes.lua',
  'release-removal.lua',
]);

const sources = new Set(productScripts().map(({ source }) => source));

/** On its own cluster, so that every key belongs to this test. */
describe('the data in Redis', () => {
  let own: OwnCluster;
  let api: TestApp;
  let service: Keyslot;
  /** The scripts that were run, with the keys of each run. */
  const runs: { script: LuaScript<unknown>; keys: readonly string[] }[] = [];
  /** Kinds and lifetimes of all keys that were seen, and keys of an unknown kind. */
  const seen = new Map<string, Set<number>>();
  const strange = new Set<string>();
  const names = new Set<string>();

  beforeAll(async () => {
    own = await startOwnCluster();
    api = await startTestApp({
      ...own.variables,
      BOOTSTRAP_ADMIN_USERNAME: 'the-administrator',
      BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
    });
    const redis = api.app.get(RedisCluster);
    for (const method of ['run', 'runDurably', 'readConfirmed'] as const) {
      const original = redis[method].bind(redis);
      redis[method] = async (script, keys, args, deadline) => {
        runs.push({ script, keys });
        if (LAST_STEPS.has(script.name)) {
          await look();
        }
        return original(script, keys, args, deadline);
      };
    }
  });
  afterAll(async () => {
    await service.close();
    await api.close();
    await own.remove();
  });

  /** Reads every key of every master. */
  const look = async (): Promise<void> => {
    for (const port of await own.masters()) {
      const keys = (await own.cluster.call(port, 'KEYS', '*')).split(',').filter(Boolean);
      const lives = await Promise.all(keys.map((key) => own.cluster.call(port, 'PTTL', key)));
      keys.forEach((key, index) => note(key, Number(lives[index])));
    }
  };
  const note = (key: string, lifeMs: number): void => {
    names.add(key);
    const known = KINDS.find(({ pattern }) => pattern.test(key.slice(api.keyPrefix.length)));
    if (!known || !key.startsWith(api.keyPrefix)) {
      strange.add(key);
    } else if (lifeMs !== -2) {
      // -2: it expired between the two commands.
      seen.set(known.name, (seen.get(known.name) ?? new Set()).add(lifeMs));
    }
  };
  const send = async (
    status: number,
    method: string,
    path: string,
    options: { token?: string; body?: unknown } = {},
  ): Promise<Record<string, unknown>> => {
    const answer = await api.request(method, path, options);
    expect({ path, status: answer.status }).toEqual({ path, status });
    await look();
    return answer.body;
  };
  const logIn = async (username: string): Promise<{ access: string; refresh: string }> => {
    const body = await send(200, 'POST', '/api/login', {
      body: { username, password: GOOD_PASSWORD },
    });
    return { access: String(body['access_token']), refresh: String(body['refresh_token']) };
  };

  /** @returns secrets of second factors */
  const useSecondFactor = async (tokens: Tokens, username: string): Promise<string[]> => {
    const { id, secret } = await enrol(api, tokens);
    await look();
    const [code, next] = codesOf(secret);
    const token = tokens.access_token;
    await send(204, 'POST', '/api/user/factors/totp/confirm', { token, body: { id, code } });
    const codes = await newRecoveryCodes(api, tokens);
    const body = { username, password: GOOD_PASSWORD };
    const { challenge } = await send(403, 'POST', '/api/login', { body });
    const path = '/api/login/second-factor';
    await send(401, 'POST', path, { body: { challenge: 'forged', code: next } });
    await send(401, 'POST', path, { body: { challenge, code: '000000' } });
    await send(200, 'POST', path, { body: { challenge, code: next } });
    await send(200, 'POST', '/api/user/reauthentication', {
      token,
      body: { recoveryCode: codes[0] },
    });
    await send(204, 'DELETE', `/api/user/factors/${id}`, { token });
    return [secret, String(challenge), ...codes];
  };

  /** @returns secrets and the name of a service account */
  const useServiceAccount = async (token: string): Promise<Record<string, string>> => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const name = 'Reports of Orders';
    const jwks = { keys: [publicKey.export({ format: 'jwk' })] };
    const { id } = await send(201, 'POST', '/api/service-accounts', {
      token,
      body: { name, jwks },
    });
    const path = `/api/service-accounts/${String(id)}`;
    const { clientSecret } = await send(201, 'POST', `${path}/secrets`, { token });
    const jti = 'the id of an assertion';
    const assertion = await new SignJWT({ jti })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(String(id))
      .setSubject(String(id))
      .setAudience('https://keyslot.test')
      .setExpirationTime('5m')
      .sign(privateKey);
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const proof = { client_assertion: assertion, client_assertion_type };
    const post = async (status: number, path_: string, fields: Record<string, string>) => {
      const answer = await postForm(api, path_, fields);
      expect({ path_, status: answer.status }).toEqual({ path_, status });
      await look();
      return answer.body;
    };
    const grant = { grant_type: 'client_credentials' };
    const { access_token } = await post(200, '/oauth/token', { ...grant, ...proof });
    await send(403, 'GET', '/api/user', { token: String(access_token) });
    const secret = { client_id: String(id), client_secret: String(clientSecret) };
    await post(200, '/oauth/revoke', { token: String(access_token), ...secret });
    await post(401, '/oauth/token', { ...grant, ...secret, client_secret: 'wrong' });
    await send(204, 'DELETE', path, { token });
    const secrets = { clientSecret: String(clientSecret), access_token: String(access_token) };
    return { name, jti, assertion, ...secrets };
  };

  it('has a limited lifetime for every kind of temporary key, and no secret or personal data in a key (97, 99)', async () => {
    const person = {
      username: 'Margaret.Hamilton',
      password: GOOD_PASSWORD,
      email: 'margaret@apollo.test',
      displayName: 'Margaret Heafield',
    };
    await send(201, 'POST', '/api/users', { body: person });
    const wrong = { username: person.username, password: 'some wrong password' };
    await send(401, 'POST', '/api/login', { body: wrong });
    const first = await logIn(person.username);
    const second = await logIn(person.username);
    await send(200, 'GET', '/api/user', { token: first.access });
    service = await connectKeyslot({
      redis: {
        nodes: own.variables.REDIS_NODES.split(','),
        username: own.variables.REDIS_USERNAME,
        password: own.variables.REDIS_PASSWORD,
        keyPrefix: api.keyPrefix,
      },
      audience: 'keyslot',
    });
    expect(await service.authenticateToken(first.access)).toMatchObject({ kind: 'user' });
    await look();
    const refreshed = await send(200, 'POST', '/api/refresh', {
      body: { refresh_token: first.refresh },
    });
    const token = String(refreshed['access_token']);
    await send(401, 'POST', '/api/refresh', { body: { refresh_token: 'rt_nonsense' } });
    await send(200, 'PATCH', '/api/user', { token, body: { displayName: 'Margaret H.' } });
    await send(200, 'GET', '/api/user/sessions', { token });
    await send(202, 'POST', '/api/user/email-verification', { token });
    await eventually('a token is issued', 20_000, async () => {
      await look();
      return seen.has('one-time tokens');
    });
    await send(204, 'POST', '/api/logout', { token: second.access });
    await send(401, 'GET', '/api/user', { token: second.access });
    const address = { email: 'margaret@gemini.test' };
    await send(200, 'PATCH', '/api/user', { token, body: address });
    const admin = await logIn('the-administrator');
    const { id } = await send(200, 'GET', '/api/user', { token });
    await send(200, 'PATCH', `/api/users/${String(id)}`, {
      token: admin.access,
      body: { roles: ['admin'] },
    });
    const role = { token: admin.access, body: { permissions: ['orders:read'] } };
    await send(204, 'PUT', '/api/roles/order-clerk', role);
    await send(200, 'GET', '/api/roles', { token: admin.access });
    await send(204, 'DELETE', '/api/roles/order-clerk', { token: admin.access });
    const client = await useServiceAccount(admin.access);
    const { body: tokens } = await api.login(person.username);
    const factors = await useSecondFactor(tokens, person.username);
    await send(204, 'DELETE', '/api/user', {
      token: tokens.access_token,
      body: { password: GOOD_PASSWORD },
    });

    expect([...strange]).toEqual([]);
    expect([...seen.keys()].sort()).toEqual(KINDS.map(({ name }) => name).sort());
    for (const { name, longestMs, mayLast = false } of KINDS) {
      const lives = [...seen.get(name)!];
      expect({ name, lasts: lives.includes(-1) }).toEqual({ name, lasts: mayLast });
      expect({ name, life: Math.max(...lives) <= longestMs }).toEqual({ name, life: true });
    }
    const all = [...names].join('\n');
    const secrets = [
      ...Object.values(person),
      '127.0.0.1',
      first,
      second,
      admin,
      token,
      client,
      factors,
    ].flatMap((value) => (typeof value === 'string' ? [value] : Object.values(value)));
    for (const secret of secrets) {
      for (const text of [secret, secret.toLowerCase()]) {
        const bytes = Buffer.from(text);
        for (const spelling of [
          text,
          ...(['hex', 'base64', 'base64url'] as const).map((form) => bytes.toString(form)),
        ]) {
          expect(all).not.toContain(spelling);
        }
      }
    }
  });

  it('is accessed by scripts whose keys belong to one slot (97)', () => {
    expect(new Set(runs.map(({ script }) => script.name)).size).toBeGreaterThan(15);
    for (const { script, keys } of runs) {
      const slots = new Set(keys.map((key) => calculateSlot(key)));
      expect({ name: script.name, slots: slots.size }).toEqual({ name: script.name, slots: 1 });
    }
  });

  it('is accessed only by the scripts in the files (100)', async () => {
    for (const { script } of runs) {
      expect({ name: script.name, isKnown: sources.has(script.source) }).toEqual({
        name: script.name,
        isKnown: true,
      });
    }
    const ours = [...sources].map((text) => createHash('sha1').update(text).digest('hex'));
    for (const port of await own.masters()) {
      let memory = '';
      // An instance may run a script for the first time in between.
      await eventually('both counts are of the same moment', 10_000, async () => {
        const known = (await own.cluster.call(port, 'SCRIPT', 'EXISTS', ...ours)).split(',');
        memory = await own.cluster.call(port, 'INFO', 'memory');
        const loaded = known.filter((flag) => flag === '1').length;
        expect(loaded).toBeGreaterThan(0);
        return Number(/number_of_cached_scripts:(\d+)/.exec(memory)?.[1]) === loaded;
      });
      const functions = /number_of_functions:(\d+)/.exec(memory)?.[1];
      expect(Number(functions)).toBe(0);
    }
  });
});
