import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { GOOD_PASSWORD } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { keysByMaster } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PROGRAM = fileURLToPath(new URL('./register-then-die.mjs', import.meta.url));
const CLAIM_TTL_MS = 500;
/** Claim the name, write the user, confirm the name, confirm the user. */
const STEPS = 4;

describe('a registration whose process is killed', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp({ RATE_LIMIT: 'off' })));
  afterAll(async () => api.close());

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
  });

  it.each(kills)(
    '%s step %i leaves no user for good that nobody can log in to',
    async (moment, step) => {
      const prefix = api.keyPrefix;
      const users = async (): Promise<string[]> =>
        (await keysByMaster(prefix)).flat().filter((key) => key.endsWith(':record'));
      const before = new Set(await users());
      const username = `crash-${randomUUID()}`;
      await registerAndDie(username, step, moment);

      // Nobody comes back. What the crash left is gone, or it is a whole user.
      await eventually('only whole users are left', 10_000, async () => {
        const left = (await users()).filter((key) => !before.has(key));
        return left.length === 0 || (await api.login(username)).status === 200;
      });
    },
  );
});
