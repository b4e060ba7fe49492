import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';

import { decode } from '../support/forge.js';
import { Instance } from '../support/instance.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const CLOCK = pathToFileURL(resolve('test/chaos/shifted-clock.mjs')).href;
const HOUR_MS = 3_600_000;

describe.each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])('an instance whose machine is an hour %s', (_, shiftMs) => {
  let api: TestApp;
  let wrong: Instance;
  beforeAll(async () => {
    api = await startTestApp();
    wrong = await Instance.start({
      REDIS_KEY_PREFIX: api.keyPrefix,
      LOG_LEVEL: 'warn',
      NODE_OPTIONS: `--import=${CLOCK}`,
      CLOCK_SHIFT_MS: String(shiftMs),
    });
  });
  afterAll(async () => {
    await wrong.stop();
    await api.close();
  });

  it('logs the difference, and agrees with other instances about token expiry', async () => {
    const { username, tokens } = await api.newUser();
    const { body: fromWrong } = await wrong.login(username);

    for (const token of [tokens.access_token, fromWrong.access_token]) {
      expect((await wrong.ownUser(token)).status).toBe(200);
      expect((await api.ownUser(token)).status).toBe(200);
    }
    const { exp, iat } = decode(fromWrong.access_token).payload as { exp: number; iat: number };
    expect(Math.abs(iat * 1000 - Date.now())).toBeLessThan(60_000);
    expect(exp - iat).toBe(fromWrong.expires_in);
    expect(wrong.output()).toContain('The clock of this machine is 3600 s');
  });

  it('refuses expired sessions, and refreshes valid ones', async () => {
    const { tokens } = await api.newUser();
    const refreshed = await wrong.refresh(tokens.refresh_token);
    expect((await api.ownUser(refreshed.body.access_token)).status).toBe(200);

    expect((await wrong.logout(refreshed.body.access_token)).status).toBe(204);

    expect((await api.ownUser(refreshed.body.access_token)).status).toBe(401);
    expect((await wrong.ownUser(tokens.access_token)).status).toBe(401);
  });
});
