import { setTimeout as delay } from 'node:timers/promises';

import { measure, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import { login, ownUser } from '../request-list.js';
import type { Scenario } from '../scenario.js';
import { runWrk } from '../wrk.js';
import { LOGIN_CONNECTIONS, LOGIN_USERS } from './logins.js';

/** Reads that do not saturate the machine: each connection waits before its next request. */
const READS = { connections: 16, delayMs: 10 } as const;
const STORM_LEAD_SECONDS = 1;

export const loginStorm: Scenario = {
  name: 'login-storm',
  about:
    `Warm reads from ${READS.connections} connections that wait ${READS.delayMs} ms before each, at rest, and while ` +
    `${LOGIN_CONNECTIONS} connections of another process log in without a pause.`,
  prepare: async ([stage], { seconds }) => {
    const sessions = await stage.seedUsers(LOGIN_USERS, 1);
    const headers = sessions.map(({ header }) => header);
    const keyslot = await stage.startKeyslot();
    const file = stage.writeRequests(headers.map(ownUser));
    const reads = { ...READS, file, order: 'cycle', seconds } as const;
    const storm = {
      url: keyslot.url,
      file: stage.writeRequests(sessions.map(login)),
      order: 'cycle',
      seconds: seconds + 2 * STORM_LEAD_SECONDS,
      connections: LOGIN_CONNECTIONS,
    } as const;
    return async () => {
      await warmUp(keyslot, reads);
      const atRest = await measure(keyslot, reads);
      const storming = runWrk(storm);
      await delay(STORM_LEAD_SECONDS * 1000);
      const duringStorm = await measure(keyslot, reads);
      const { requests, durationMicros, latencyMicros } = await storming;
      return {
        'reads at rest': { ...atRest, p99Factor: 1 },
        'reads in the storm': {
          ...withoutCpu(duringStorm),
          p99Factor: duringStorm.p99Ms / atRest.p99Ms,
        },
        'logins of the storm': {
          requestsPerSecond: requests / (durationMicros / 1e6),
          medianMs: latencyMicros.p50 / 1000,
          p99Ms: latencyMicros.p99 / 1000,
        },
      };
    };
  },
};

/** Removes the CPU time, which was mostly spent on the logins. */
function withoutCpu(measurement: Measurement): Measurement {
  return Object.fromEntries(Object.entries(measurement).filter(([name]) => name !== 'cpuMicros'));
}
