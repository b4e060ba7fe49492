import { Caller } from '../caller.js';
import { inSequence } from '../batches.js';
import type { Scenario } from '../scenario.js';
import { timesOf } from '../statistics.js';

const TOKENS_PER_SECOND = 100;

export const otherInstance: Scenario = {
  name: 'other-instance',
  about:
    'A token that one instance has issued a moment ago, used on another: its first request there, and its second. One ' +
    'request after the other.',
  prepare: async ([stage], { seconds }) => {
    const [issuer, other] = [await stage.startKeyslot(), await stage.startKeyslot()];
    const caller = new Caller();
    return async () => {
      const sessions = await stage.seedUsers(TOKENS_PER_SECOND * seconds, 1);
      const times = await inSequence(sessions, async ({ refreshToken }) => {
        const issued = await caller.call(issuer.url, {
          method: 'POST',
          path: '/api/refresh',
          body: { refresh_token: refreshToken },
        });
        const { access_token: token } = JSON.parse(issued.body) as { access_token: string };
        const read = {
          method: 'GET',
          path: '/api/user',
          header: `Authorization: Bearer ${token}`,
        } as const;
        return {
          first: (await caller.call(other.url, read)).ms,
          second: (await caller.call(other.url, read)).ms,
        };
      });
      return {
        'first request': timesOf(times.map(({ first }) => first)),
        'second request': timesOf(times.map(({ second }) => second)),
      };
    };
  },
};
