import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { PasswordLogins } from '../../src/credentials/index.js';
import { FAILURES_PER_ADDRESS } from '../../src/credentials/login-limit-per-address.js';
import { RateLimiter } from '../../src/rate-limit/index.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('a login that is refused although the password was right', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  it('because the user has changed since the check counts as a failure of the address', async () => {
    const { username, password } = await api.newUser();
    const ip = '192.0.2.1';
    const origin = new Origin({ actor: 'anonymous', ip });
    const logins = api.app.get(PasswordLogins, { strict: false });
    const limiter = api.app.get(RateLimiter, { strict: false });
    const allowed = async (): Promise<boolean> =>
      (await limiter.count(FAILURES_PER_ADDRESS, ip, Deadline.none)) === undefined;
    const request = { username, password: new Secret(password) };

    const attempt = await logins.attempt(request, origin, Deadline.none, () =>
      Promise.resolve(undefined),
    );

    expect(attempt).toEqual({ outcome: 'wrong-credentials' });
    for (let count = 1; count < FAILURES_PER_ADDRESS.failures; count += 1) {
      expect(await allowed()).toBe(true);
    }
    expect(await allowed()).toBe(false);
  });
});
