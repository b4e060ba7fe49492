import { randomBytes } from 'node:crypto';

import { LOOKUP_BURST, LOOKUP_INTERVAL_MS } from '../../src/guard/lookup-budget.js';
import { GuardMetrics } from '../../src/guard/guard-metrics.js';
import type { TestUser } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const FORGERIES = 1000;
/** Few enough that the event loop is not busy. */
const AT_ONCE = 20;

describe('forged access tokens', () => {
  let api: TestApp;
  let user: TestUser;
  beforeAll(async () => {
    api = await startTestApp();
    user = await api.newUser();
  });
  afterAll(async () => api.close());

  /** Every claim is right and its session lives; only the signature is wrong. */
  const forgery = (): string => {
    const [header, payload] = user.tokens.access_token.split('.');
    return [header, payload, randomBytes(64).toString('base64url')].join('.');
  };
  const statusesOf = async (tokens: readonly string[]): Promise<number[]> =>
    Promise.all(tokens.map(async (token) => (await api.ownUser(token)).status));

  it('cost the cluster a bounded number of commands, and real tokens are accepted meanwhile', async () => {
    const { redis } = api.app.get(GuardMetrics, { strict: false });
    const begin = performance.now();

    for (let presented = 0; presented < FORGERIES; presented += AT_ONCE) {
      const forgeries = Array.from({ length: AT_ONCE }, forgery);
      expect(await statusesOf(forgeries)).toEqual(Array<number>(AT_ONCE).fill(401));
    }

    const earned = Math.ceil((performance.now() - begin) / LOOKUP_INTERVAL_MS);
    expect(redis.refused).toBeGreaterThanOrEqual(LOOKUP_BURST);
    expect(redis.refused).toBeLessThanOrEqual(LOOKUP_BURST + earned);
    // Its session is not in memory: no forgery has put it there.
    expect(redis.accepted).toBe(0);
    expect(await statusesOf([user.tokens.access_token, forgery()])).toEqual([200, 401]);
    expect(redis.accepted).toBe(1);
  });
});
