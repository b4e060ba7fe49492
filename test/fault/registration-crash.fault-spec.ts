import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { GOOD_PASSWORD } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { keysByMaster, withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PROGRAM = fileURLToPath(new URL('./register-then-die.mjs', import.meta.url));
const CLAIM_TTL_MS = 500;
/** Claim the name, write the user, confirm the name, confirm the user. */
const STEPS = 4;

describe('a registration whose process is killed', () => {
  let api: TestApp;
  beforeEach(async () => (api = await startTestApp({ RATE_LIMIT: 'off' })));
  afterEach(async () => api.close());

  /** Users and names that run out unless somebody confirms them. */
  const provisional = async (): Promise<string[]> =>
    withRedis(async (_, cluster) => {
      const keys = (await keysByMaster(api.keyPrefix)).flat();
      const all = keys.filter((key) => /:(record|owner)$/.test(key));
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
      child.once('exit', (_, signal) => resolve(output || String(signal)));
    });

  it('takes four steps when it is left alone', async () => {
    expect(await registerAndDie(randomUUID(), 0, 'after')).toBe(`registered after ${STEPS} steps`);
  });

  const kills = Array.from({ length: STEPS }, (_, index) => index + 1).flatMap((step) =>
    ['before', 'after'].map((moment): [string, number] => [moment, step]),
  );

  it.each(kills)('%s step %i leaves no name lost or blocked', async (moment, step) => {
    const username = `crash-${randomUUID()}`;
    expect(await registerAndDie(username, step, moment)).toBe('SIGKILL');

    // Whoever comes next has the name: the first one, whose login completes the registration, or a new user.
    const newPassword = 'another password for the same name';
    let registered = 0;
    await eventually('the name is somebody’s again', 10_000, async () => {
      const { status } = await api.register(username, newPassword);
      expect([201, 409]).toContain(status);
      registered += status === 201 ? 1 : 0;
      return status === 201 || (await api.login(username)).status === 200;
    });

    const owners = await Promise.all(
      [GOOD_PASSWORD, newPassword].map(async (password) => {
        return (await api.login(username, password)).status === 200;
      }),
    );
    expect(owners).toEqual([registered === 0, registered === 1]);
    expect((await api.register(username)).status).toBe(409);
    // A first user whose name went to the new one runs out.
    await eventually('nobody is left half registered', 10_000, async () => {
      return (await provisional()).length === 0;
    });
    expect((await api.login(username, registered === 0 ? GOOD_PASSWORD : newPassword)).status).toBe(
      200,
    );
  });

  it.each(kills)(
    '%s step %i leaves nothing behind when nobody comes back',
    async (moment, step) => {
      const username = `crash-${randomUUID()}`;
      await registerAndDie(username, step, moment);

      await eventually('all that runs out has run out', 10_000, async () => {
        return (await provisional()).length === 0;
      });

      // What is left is a whole user, or a name that whoever comes next can have.
      const isUser = (await api.login(username)).status === 200;
      const users = (await keysByMaster(api.keyPrefix))
        .flat()
        .filter((key) => key.endsWith(':record'));
      expect(users).toHaveLength(isUser ? 1 : 0);
      expect((await api.register(username)).status).toBe(isUser ? 409 : 201);
    },
  );
});
