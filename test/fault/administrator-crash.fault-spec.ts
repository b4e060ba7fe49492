import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import PQueue from 'p-queue';

import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD, type Answer, type TestUser } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const PROGRAM = fileURLToPath(new URL('./register-then-die.mjs', import.meta.url));
/**
 * Two steps note the change in the directory and find that the user is an administrator, one reserves the removal, and two note the
 * change again and remove the role.
 */
const STEPS = 5;
/** The reservation of a crashed process counts for ten seconds. */
const MAX_BLOCKED_MS = 15_000;

describe('the removal of an administrator whose process is killed', () => {
  let api: TestApp;
  let root: string;
  beforeEach(async () => {
    api = await startTestApp({ ...WITH_ADMINISTRATOR, RATE_LIMIT: 'off' });
    root = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
  });
  afterEach(async () => api.close());

  const setRoles = async (token: string, id: string, roles: string[]): Promise<Answer> =>
    api.request('PATCH', `/api/users/${id}`, { token, body: { roles } });
  const newAdministrator = async (): Promise<TestUser> => {
    const user = await api.newUser();
    expect((await setRoles(root, user.id, ['admin'])).status).toBe(200);
    return user;
  };
  const demoteAndDie = async ({ id }: TestUser, step: number, moment: string): Promise<string> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [PROGRAM, `--demote=${id}`, String(step), moment], {
        env: {
          ...process.env,
          TEST_KEY_PREFIX: api.keyPrefix,
          TEST_CLAIM_TTL_MS: '15000',
          TEST_PASSWORD: GOOD_PASSWORD,
        },
      });
      let output = '';
      child.stdout.on('data', (data) => (output += String(data)));
      child.once('exit', (_, signal) => resolve(output || String(signal)));
    });

  it('takes five steps when it is not killed', async () => {
    const user = await newAdministrator();

    expect(await demoteAndDie(user, 0, 'after')).toBe(`changed after ${STEPS} steps`);
  });

  it('blocks no administrator and keeps one, in whichever step it is killed', async () => {
    const { id: rootId } = (await api.ownUser(root)).body as { id: string };
    const users = await Promise.all(Array.from({ length: 2 * STEPS }, newAdministrator));
    // Few processes start at a time.
    const starting = new PQueue({ concurrency: 4 });
    const ends = await Promise.all(
      users.map(async (user, index) =>
        starting.add(async () =>
          demoteAndDie(user, 1 + Math.floor(index / 2), index % 2 ? 'after' : 'before'),
        ),
      ),
    );
    expect(new Set(ends)).toEqual(new Set(['SIGKILL']));

    // A retry succeeds, in any state that the crashed call has left.
    const [first, ...others] = users as [TestUser, ...TestUser[]];
    for (const { id } of others) {
      expect((await setRoles(root, id, [])).status).toBe(200);
    }
    // Of the last two administrators, either one can be removed, but then the other cannot.
    expect((await setRoles(root, first.id, ['admin'])).status).toBe(200);
    await eventually('the other administrator can be removed', MAX_BLOCKED_MS, async () => {
      const { status, body } = await setRoles(first.tokens.access_token, rootId, []);
      expect([200, 409]).toContain(status);
      return status === 200 || body['code'] !== 'last-administrator';
    });
    expect((await api.request('GET', `/api/users/${rootId}`, { token: root })).status).toBe(403);
    const own = { token: first.tokens.access_token, body: { password: first.password } };
    expect((await api.request('DELETE', '/api/user', own)).status).toBe(409);
  });
});
