import { inSequence } from '../batches.js';
import { Caller } from '../caller.js';
import type { Measurement } from '../measures.js';
import type { Scenario } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';
import { timesOf } from '../statistics.js';

const COUNTS = [1, 2, 4] as const;
const LOGOUTS_PER_SECOND = 20;

export const logout: Scenario = {
  name: 'logout',
  about:
    'POST /api/logout, one after the other, with 1, 2 and 4 instances that all have the session in memory, and have to ' +
    'forget it before the answer comes.',
  prepare: ([stage], { seconds }) => {
    const caller = new Caller();
    return Promise.resolve(async () => {
      const instances: ServerProcess[] = [];
      const measured: Record<string, Measurement> = {};
      for (const count of COUNTS) {
        const sessions = await stage.seedUsers(LOGOUTS_PER_SECOND * seconds, 1);
        while (instances.length < count) {
          instances.push(await stage.startKeyslot());
        }
        const times = await inSequence(sessions, async ({ header }) => {
          for (const { url } of instances) {
            await caller.call(url, { method: 'GET', path: '/api/user', header });
          }
          const call = { method: 'POST', path: '/api/logout', header } as const;
          return (await caller.call(instances[0]!.url, call)).ms;
        });
        measured[`${count} ${count === 1 ? 'instance' : 'instances'}`] = timesOf(times);
      }
      await stage.stop(...instances);
      return measured;
    });
  },
};
