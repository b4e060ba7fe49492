import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import PQueue from 'p-queue';

import { GOOD_PASSWORD } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { keysByMaster, withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PROGRAM = fileURLToPath(new URL('./register-then-die.mjs', import.meta.url));
const CLAIM_TTL_MS = 500;
/** Claim the skeleton, write the user and claim the name, confirm skeleton and name, confirm the user. */
const STEPS = 6;
const EXPIRY_TIMEOUT_MS = 20_000;
/** A name that differs from its skeleton. */
const newName = (): string => `crash-1-${randomUUID()}`;

describe('a registration whose process is killed', () => {
  let api: TestApp;
  beforeEach(async () => (api = await startTestApp({ RATE_LIMIT: 'off' })));
  afterEach(async () => api.close());

  /** The number of users and names that expire unless they are confirmed. */
  const provisional = async (): Promise<string[]> =>
    withRedis(async (_, cluster) => {
      const keys = (await keysByMaster(api.keyPrefix)).flat();
      const all = keys.filter((key) => /:(record|password-hash|owner)$/.test(key));
      const lives = await Promise.all(all.map((key) => cluster.pttl(key)));
      return all.filter((__, index) => lives[index]! > 0);
    });

  const registerAndDie = async (username: string, step: number, moment: string): Promise<string> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [PROGRAM, username, String(step), moment], {
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
    });

  it('takes six steps when it is not killed', async () => {
    expect(await registerAndDie(newName(), 0, 'after')).toBe(`registered after ${STEPS} steps`);
  });

  /** Kills a process before and after every step. Few processes start at a time; then all wait for the expiry. */
  const starting = new PQueue({ concurrency: 4 });
  const atEachKill = async <Seen>(
    see: (username: string, kill: () => Promise<string>) => Promise<Seen>,
  ): Promise<Seen[]> =>
    Promise.all(
      Array.from({ length: 2 * STEPS }, async (_, index) => {
        const step = 1 + Math.floor(index / 2);
        const username = newName();
        return see(username, async () =>
          starting.add(async () => registerAndDie(username, step, index % 2 ? 'after' : 'before')),
        );
      }),
    );

  const untilNobodyIsHalfRegistered = async (): Promise<number> =>
    eventually('all that runs out has run out', EXPIRY_TIMEOUT_MS, async () => {
      return (await provisional()).length === 0;
    });

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
    // A first user whose name was given to the new user expires.
    await untilNobodyIsHalfRegistered();

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
    await untilNobodyIsHalfRegistered();

    // The result is a complete user or an available name.
    const stored = (await keysByMaster(api.keyPrefix)).flat();
    const [records, hashes] = [':record', ':password-hash'].map((part) =>
      stored.filter((key) => key.endsWith(part)),
    );
    const isUser = await Promise.all(
      usernames.map(async (username) => (await api.login(username)).status === 200),
    );
    expect(records).toHaveLength(isUser.filter(Boolean).length);
    expect(hashes).toHaveLength(isUser.filter(Boolean).length);
    const answers = await Promise.all(usernames.map(async (username) => api.register(username)));
    expect(answers.map(({ status }) => status)).toEqual(isUser.map((is) => (is ? 409 : 201)));
  });
});
