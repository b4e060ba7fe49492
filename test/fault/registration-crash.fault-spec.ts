import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import PQueue from 'p-queue';

import { Deadline } from '../../src/common/deadline/index.js';
import { RedisUserDirectory } from '../../src/users/directory/redis-user-directory.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD } from '../support/http-client.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import { confirmReset, mailVariables, NEW_PASSWORD } from '../support/mails.js';
import { eventually } from '../support/own-cluster.js';
import { keysByMaster, withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PROGRAM = fileURLToPath(new URL('./register-then-die.mjs', import.meta.url));
const CLAIM_TTL_MS = 500;
/** Note the user in the directory, claim the skeleton and the name, write the user and confirm skeleton and name. */
const STEPS = 6;
const EXPIRY_TIMEOUT_MS = 20_000;
/** A name that differs from its skeleton. */
const newName = (): string => `crash-1-${randomUUID()}`;

/** Few processes start at a time. */
const starting = new PQueue({ concurrency: 4 });

/** @param what a user name, or another argument of the program */
const runAndDie = async (
  api: TestApp,
  what: string,
  step: number,
  moment: string,
): Promise<string> =>
  starting.add(
    async () =>
      new Promise<string>((resolve) => {
        const child = spawn(process.execPath, [PROGRAM, what, String(step), moment], {
          env: {
            ...process.env,
            TEST_KEY_PREFIX: api.keyPrefix,
            TEST_CLAIM_TTL_MS: String(CLAIM_TTL_MS),
            TEST_PASSWORD: GOOD_PASSWORD,
          },
        });
        let output = '';
        child.stdout.on('data', (data) => (output += String(data)));
        child.stderr.on('data', (data) => (output += String(data)));
        child.once('close', (_, signal) => resolve(output || String(signal)));
      }),
  );

describe('a registration whose process is killed', () => {
  let api: TestApp;
  beforeEach(async () => (api = await startTestApp({ RATE_LIMIT: 'off' })));
  afterEach(async () => api.close());

  const untilClaimsHaveEnded = async (): Promise<number> =>
    eventually('all claims of names have ended', EXPIRY_TIMEOUT_MS, async () => {
      const keys = (await keysByMaster(api.keyPrefix)).flat();
      const contents = await withRedis(async (_, cluster) =>
        Promise.all(keys.filter((key) => key.endsWith(':owner')).map((key) => cluster.get(key))),
      );
      const ends = contents.map((content) => Number(/^claim_(\d+)_/.exec(content ?? '')?.[1] ?? 0));
      return Math.max(...ends) < Date.now();
    });

  it('takes six steps when it is not killed', async () => {
    expect(await runAndDie(api, newName(), 0, 'after')).toBe(`registered after ${STEPS} steps`);
  });

  /** Kills a process before and after every step. */
  const atEachKill = async <Seen>(
    see: (username: string, kill: () => Promise<string>) => Promise<Seen>,
  ): Promise<Seen[]> =>
    Promise.all(
      Array.from({ length: 2 * STEPS }, async (_, index) => {
        const step = 1 + Math.floor(index / 2);
        const username = newName();
        return see(username, async () =>
          runAndDie(api, username, step, index % 2 ? 'after' : 'before'),
        );
      }),
    );

  it('neither loses nor blocks a name, in whichever step it is killed', async () => {
    const newPassword = 'another password for the same name';
    const users = await atEachKill(async (username, kill) => {
      expect(await kill()).toBe('SIGKILL');
      // The name is available to the first user, whose login completes the registration, or to a new user.
      let registered = 0;
      await eventually('the name is somebody’s again', EXPIRY_TIMEOUT_MS, async () => {
        const { status } = await api.register(username, newPassword);
        expect([201, 409]).toContain(status);
        registered += status === 201 ? 1 : 0;
        return status === 201 || (await api.login(username)).status === 200;
      });
      return { username, isNew: registered === 1, registered };
    });
    for (const { username, isNew, registered } of users) {
      expect(registered).toBeLessThanOrEqual(1);
      expect((await api.login(username, GOOD_PASSWORD)).status).toBe(isNew ? 401 : 200);
      expect((await api.login(username, newPassword)).status).toBe(isNew ? 200 : 401);
      expect((await api.register(username)).status).toBe(409);
    }
    // Some processes were killed too early to create a user, and some were not.
    expect(new Set(users.map(({ isNew }) => isNew)).size).toBe(2);
  });

  it('leaves no data if the user does not return, in whichever step it is killed', async () => {
    const usernames = await atEachKill(async (username, kill) => {
      expect(await kill()).toBe('SIGKILL');
      return username;
    });
    await untilClaimsHaveEnded();

    // The result is a complete user or an available name.
    const stored = (await keysByMaster(api.keyPrefix)).flat();
    const [records, hashes] = [':record', ':password-hash'].map((part) =>
      stored.filter((key) => key.endsWith(part)),
    );
    const isUser = await Promise.all(
      usernames.map(async (username) => (await api.login(username)).status === 200),
    );
    const directory = api.app.get(RedisUserDirectory, { strict: false });
    const { users } = (await directory.list({}, undefined, 100, Deadline.none))!;
    expect(users.map(({ username }) => username).sort()).toEqual(
      usernames.filter((_, index) => isUser[index]).sort(),
    );
    expect(records).toHaveLength(isUser.filter(Boolean).length);
    expect(hashes).toHaveLength(isUser.filter(Boolean).length);
    const answers = await Promise.all(usernames.map(async (username) => api.register(username)));
    expect(answers.map(({ status }) => status)).toEqual(isUser.map((is) => (is ? 409 : 201)));
  });
});

describe('an invitation whose process is killed', () => {
  /** Also stores the mail before the registration, and makes it due afterwards. */
  const INVITATION_STEPS = 1 + STEPS + 1;
  /** The mail waits for ten seconds, and an instance looks into each of four partitions every 20 seconds. */
  const MAIL_TIMEOUT_MS = 60_000;
  let server: MailServer;
  let api: TestApp;
  beforeAll(async () => {
    server = await MailServer.start();
    api = await startTestApp({
      ...mailVariables(server),
      ...WITH_ADMINISTRATOR,
      RATE_LIMIT: 'off',
    });
  });
  afterAll(async () => {
    await api.close();
    await server.stop();
  });

  const outboxSize = async (): Promise<number> =>
    withRedis(async (_, cluster) => {
      const keys = (await keysByMaster(api.keyPrefix)).flat();
      const entries = keys.filter((key) => /\{mail-outbox\.\d\}:entries$/.test(key));
      const sizes = await Promise.all(entries.map(async (key) => cluster.hlen(key)));
      return sizes.reduce((sum, size) => sum + size, 0);
    });

  it('loses no mail, sends none without a user, and can be repeated, in whichever step it is killed', async () => {
    const invite = async (name: string, step: number): Promise<string> =>
      runAndDie(api, `--invite=${name}`, step, 'after');
    const { body: login } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    const token = login.access_token;
    const names = Array.from({ length: INVITATION_STEPS }, newName);
    const addressOf = (name: string): string => `${name}@example.com`;

    const outcomes = await Promise.all(names.map(async (name, index) => invite(name, index + 1)));

    expect(new Set(outcomes)).toEqual(new Set(['SIGKILL']));
    await eventually('every mail is sent or not needed', MAIL_TIMEOUT_MS, async () => {
      return (await outboxSize()) === 0;
    });
    const { body } = await api.request('GET', '/api/users?q=crash-1&limit=100', { token });
    const listed = (body['items'] as { username: string }[]).map(({ username }) => username);
    expect(listed.length).toBeGreaterThanOrEqual(3);
    expect(listed.length).toBeLessThan(names.length);
    for (const name of names) {
      const isUser = listed.includes(name);
      expect([name, server.mailsTo(addressOf(name)).length]).toEqual([name, isUser ? 1 : 0]);
      const invitation = { token, body: { username: name, email: addressOf(name) } };
      const again = await api.request('POST', '/api/users', invitation);
      expect([name, again.status]).toEqual([name, isUser ? 409 : 201]);
      const mail = await server.mailTo(addressOf(name));
      expect((await confirmReset(api, tokenIn(mail))).status).toBe(204);
      expect((await api.login(name, NEW_PASSWORD)).status).toBe(200);
    }
    const { body: all } = await api.request('GET', '/api/users?q=crash-1&limit=100', { token });
    expect(all['items']).toHaveLength(names.length);
  });

  it('takes eight steps when it is not killed', async () => {
    expect(await runAndDie(api, `--invite=${newName()}`, 0, 'after')).toBe(
      `registered after ${INVITATION_STEPS} steps`,
    );
  });
});
