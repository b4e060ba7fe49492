import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { resolve } from 'node:path';

import { KeyRotationSchedule, PUBLICATION_MS, RETENTION_MS } from '../../src/keys/index.js';
import { decode } from '../support/forge.js';
import type { HttpClient, TestUser, Tokens } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import type { CommandResult } from '../support/command.js';
import { runKeysCommand } from '../support/keys-command.js';
import { StoredKeys } from '../support/keys.js';
import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const SERVICE = resolve('test/e2e/guarded-service.mjs');
const CONTINUE_TIMEOUT_MS = 20_000;
/** Checks at each stage of a rotation under load. */
const CHECKS_PER_STAGE = 10;

describe('signing keys of several processes', () => {
  let api: TestApp;
  let instances: Instance[];
  let service: Instance;
  let stored: StoredKeys;
  let user: TestUser;
  beforeAll(async () => {
    api = await startTestApp({ RATE_LIMIT: 'off' });
    const variables = { REDIS_KEY_PREFIX: api.keyPrefix, RATE_LIMIT: 'off' };
    [service, ...instances] = await Promise.all([
      Instance.start(variables, SERVICE),
      Instance.start(variables),
      Instance.start(variables),
    ]);
    stored = new StoredKeys(api.keyPrefix);
  });
  afterAll(async () => {
    await Promise.all([service, ...instances].map(async (each) => each.stop()));
    await api.close();
  });
  beforeEach(async () => (user = await api.newUser()));

  const all = (): HttpClient[] => [api, ...instances];
  const run = async (...args: string[]): Promise<CommandResult> =>
    runKeysCommand({ REDIS_KEY_PREFIX: api.keyPrefix }, ...args);
  /** The responses of every instance and of the service with the guard to a token. */
  const statusesOf = async ({ access_token: token }: Tokens): Promise<number[]> => {
    const answers = await Promise.all([
      ...all().map(async (each) => each.ownUser(token)),
      service.request('GET', '/notes/own', { token }),
    ]);
    return answers.map(({ status }) => status);
  };
  const everywhere = (status: number): number[] => Array<number>(all().length + 1).fill(status);
  const kidOf = ({ access_token: token }: Tokens): string => String(decode(token).header['kid']);
  const publishedBy = async (each: HttpClient): Promise<JSONWebKeySet> =>
    (await each.request<JSONWebKeySet>('GET', '/.well-known/jwks.json')).body;
  const kidsOf = ({ keys }: JSONWebKeySet): (string | undefined)[] => keys.map(({ kid }) => kid);

  it('accept every token everywhere during a rotation under load (23)', async () => {
    const issued: Tokens[] = [];
    const refusals: number[][] = [];
    let [isOver, checks] = [false, 0];
    const load = async (start: Tokens, index: number): Promise<void> => {
      for (let tokens = start; !isOver; checks += 1) {
        const answer = await all()[(index + checks) % all().length]!.refresh(tokens.refresh_token);
        tokens = answer.body;
        const statuses = answer.status === 200 ? await statusesOf(tokens) : [answer.status];
        issued.push(tokens);
        if (statuses.some((status) => status !== 200)) {
          refusals.push(statuses);
        }
      }
    };
    const users = await Promise.all([api.newUser(), api.newUser(), api.newUser()]);
    const workers = users.map(async ({ tokens }, index) => load(tokens, index));
    /** Waits for this many further checks. */
    const underLoad = async (): Promise<void> => {
      const end = checks + CHECKS_PER_STAGE;
      while (checks < end && refusals.length === 0) {
        await new Promise((done) => setImmediate(done));
      }
    };
    const schedule = api.app.get(KeyRotationSchedule);
    await underLoad();
    const first = kidOf(user.tokens);

    expect(await run('rotate')).toMatchObject({ status: 0, stderr: '' });
    // What a verifier caches that fetches the set now.
    const cached = await Promise.all(all().map(publishedBy));
    const second = kidsOf(cached[0]!).find((kid) => kid !== first)!;
    expect(cached.map((set) => kidsOf(set).sort())).toEqual(
      all().map(() => [first, second].sort()),
    );
    await underLoad();
    expect(issued.map(kidOf)).not.toContain(second);

    await stored.age(PUBLICATION_MS);
    await schedule.check();
    const signedByFirst = issued.length;
    await underLoad();
    expect(new Set(issued.slice(signedByFirst).map(kidOf))).toContain(second);
    for (const set of cached) {
      for (const { access_token: token } of issued) {
        await jwtVerify(token, createLocalJWKSet(set), { typ: 'at+jwt' });
      }
    }

    await schedule.check();
    await stored.age(RETENTION_MS);
    await schedule.check();
    expect((await Promise.all(all().map(publishedBy))).map(kidsOf)).toEqual(
      all().map(() => [second]),
    );
    await underLoad();
    isOver = true;
    await Promise.all(workers);

    expect(refusals).toEqual([]);
    expect(checks).toBeGreaterThanOrEqual(4 * CHECKS_PER_STAGE);
  });

  it('verify nothing on any process when `withdraw` returns, and another key signs (24)', async () => {
    const { tokens } = user;
    expect(await statusesOf(tokens)).toEqual(everywhere(200));
    const kid = kidOf(tokens);

    const { status, stdout, stderr } = await run('withdraw', kid);

    expect(await statusesOf(tokens)).toEqual(everywhere(401));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`The key ${kid} is withdrawn.`);
    const refreshed = await instances[0]!.refresh(tokens.refresh_token);
    expect(refreshed.status).toBe(200);
    expect(kidOf(refreshed.body)).not.toBe(kid);
    expect(stdout).toContain(`The key ${kidOf(refreshed.body)} signs.`);
    expect(await statusesOf(refreshed.body)).toEqual(everywhere(200));
    for (const each of all()) {
      expect(kidsOf(await publishedBy(each))).toEqual([kidOf(refreshed.body)]);
    }
    // A repeated command finds nothing left to do.
    expect(await run('withdraw', kid)).toMatchObject({ status: 0 });
    await instances[1]!.kill();
    await instances[1]!.restart();
    expect((await instances[1]!.ownUser(tokens.access_token)).status).toBe(401);
  });

  it('verify nothing on a paused process when it continues after `withdraw` (24)', async () => {
    const { tokens } = user;
    expect(await statusesOf(tokens)).toEqual(everywhere(200));
    instances[0]!.pause();
    service.pause();

    const { status } = await run('withdraw', kidOf(tokens)).finally(() => {
      instances[0]!.resume();
      service.resume();
    });

    // A process that continues sheds load at first.
    const unless503 = async (): Promise<number[]> =>
      (await statusesOf(tokens)).filter((answered) => answered !== 503);
    expect((await unless503()).filter((answered) => answered !== 401)).toEqual([]);
    expect(status).toBe(0);
    await eventually('the processes have continued', CONTINUE_TIMEOUT_MS, async () => {
      const answers = await unless503();
      expect(answers.filter((answered) => answered !== 401)).toEqual([]);
      return answers.length === all().length + 1;
    });
    const { body } = await instances[0]!.refresh(tokens.refresh_token);
    expect(await statusesOf(body)).toEqual(everywhere(200));
  });

  const withoutSecret = async (...args: string[]): Promise<CommandResult> =>
    runKeysCommand({ REDIS_KEY_PREFIX: api.keyPrefix, KEY_ENCRYPTION_SECRET: undefined }, ...args);

  it('are listed with their states and times, without secrets', async () => {
    const first = kidOf(user.tokens);
    await run('rotate', '--now');
    await run('rotate');

    const { status, stdout, stderr } = await withoutSecret('list');

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    const headings = ['KID', 'STATE', 'CREATED', 'SIGNS FROM', 'SIGNS UNTIL', 'REMOVED'];
    const kid = expect.any(String) as string;
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string;
    expect(rows.slice(0, 3)).toEqual([
      headings,
      [kid, 'published', time, time, '-', '-'],
      [kid, 'signing', time, time, time, '-'],
    ]);
    // An instance may have scheduled the removal already.
    const timeOrNone = expect.stringMatching(/^(?:-|\d{4}-.*Z)$/) as string;
    expect(rows).toContainEqual([first, 'retired', time, time, time, timeOrNone]);
    expect(JSON.stringify(await stored.fields())).toContain('kty');
    expect(stdout).not.toMatch(/kty|eyJ|"/);
  });

  it('need the secret only to make a key, and refuse an unknown one', async () => {
    const signing = async (): Promise<string> => (await stored.fields())['current']!;
    const first = await signing();
    if ((await stored.fields())['next'] === undefined) {
      await run('rotate');
    }

    expect(await withoutSecret('withdraw', first)).toMatchObject({ status: 0, stderr: '' });
    const second = await signing();
    expect(second).not.toBe(first);
    const refused = await Promise.all([
      withoutSecret('withdraw', second),
      withoutSecret('rotate', '--now'),
      run('withdraw', 'a-typo'),
    ]);

    expect(refused.map(({ status, stdout }) => [status, stdout])).toEqual(
      Array(refused.length).fill([1, '']),
    );
    expect(refused.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(/^KEY_ENCRYPTION_SECRET is required/),
      expect.stringMatching(/^KEY_ENCRYPTION_SECRET is required/),
      expect.stringMatching(/^There is no key a-typo\./),
    ]);
    expect(await signing()).toBe(second);
  });
});
