import { randomBytes } from 'node:crypto';

import { LOOKUP_BURST, LOOKUP_INTERVAL_MS } from '../../src/common/lookup-budget/index.js';
import { GuardMetrics } from '../../src/guard/guard-metrics.js';
import type { TestUser } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const FORGERIES = 1000;
/** Few enough to leave the event loop idle most of the time. */
const AT_ONCE = 20;

describe('forged access tokens', () => {
  let api: TestApp;
  let user: TestUser;
  beforeAll(async () => {
    api = await startTestApp();
    user = await api.newUser();
  });
  afterAll(async () => api.close());

  /** Valid claims of a live session; only the signature is wrong. */
  const forgery = (): string => {
    const [header, payload] = user.tokens.access_token.split('.');
    return [header, payload, randomBytes(64).toString('base64url')].join('.');
  };
  const statusesOf = async (tokens: readonly string[]): Promise<number[]> =>
    Promise.all(tokens.map(async (token) => (await api.ownUser(token)).status));

  it('cost the cluster a limited number of commands, and do not prevent valid tokens from being accepted', async () => {
    const { redis } = api.app.get(GuardMetrics, { strict: false });
    const begin = performance.now();

    for (let presented = 0; presented < FORGERIES; presented += AT_ONCE) {
      const forgeries = Array.from({ length: AT_ONCE }, forgery);
      expect(await statusesOf(forgeries)).toEqual(Array<number>(AT_ONCE).fill(401));
    }

    const earned = Math.ceil((performance.now() - begin) / LOOKUP_INTERVAL_MS);
    expect(redis.refused).toBeGreaterThanOrEqual(LOOKUP_BURST);
    expect(redis.refused).toBeLessThanOrEqual(LOOKUP_BURST + earned);
    // The forged tokens have not put its session into the cache.
    expect(redis.accepted).toBe(0);
    expect(await statusesOf([user.tokens.access_token, forgery()])).toEqual([200, 401]);
    expect(redis.accepted).toBe(1);
  });
});
