import { documentedNginx } from '../../support/documented-nginx.js';
import { freePort } from '../../support/free-port.js';
import { measure, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import { NGINX } from '../peers.js';
import type { Scenario } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';
import type { Stage } from '../stage.js';
import { rotated } from '../statistics.js';

const SESSIONS = 100;
const ALONE = 'nginx';
const WITH_FORWARD_AUTH = 'nginx with forward auth';

export const forwardAuth: Scenario = {
  name: 'forward-auth',
  about:
    `GET with ${SESSIONS} known tokens, through nginx to a service that answers at once (the same nginx, one worker): without ` +
    'and with the `auth_request` of docs/services.md.',
  baseline: ALONE,
  prepare: async ([stage], { seconds, connections }) => {
    const sessions = await stage.seedUsers(1, SESSIONS);
    const { url: keyslot } = await stage.startKeyslot();
    const servers: [string, ServerProcess][] = [
      [ALONE, await startProxy(stage, keyslot, false)],
      [WITH_FORWARD_AUTH, await startProxy(stage, keyslot, true)],
    ];
    const file = stage.writeRequests(sessions.map(({ header }) => ({ path: '/orders', header })));
    return async (round) => {
      const measured: Record<string, Measurement> = {};
      for (const [name, server] of rotated(servers, round)) {
        const load = { file, order: 'cycle', connections, seconds } as const;
        await warmUp(server, load);
        // The processor time of the process that starts nginx says nothing.
        const { requestsPerSecond, medianMs, p99Ms } = await measure(server, load);
        measured[name] = { requestsPerSecond, medianMs, p99Ms };
      }
      return Object.fromEntries(servers.map(([name]) => [name, measured[name]!]));
    };
  },
};

async function startProxy(
  stage: Stage,
  keyslot: string,
  isAsking: boolean,
): Promise<ServerProcess> {
  const [port, servicePort] = [await freePort(), await freePort()];
  const service = `http://127.0.0.1:${servicePort}`;
  const proxy = documentedNginx({ port, keyslot, service }).replace('?permission=orders:read', '');
  const http = [
    isAsking ? proxy : proxy.replace(/^.*\b(?:auth_request|X-Auth-).*$/gm, ''),
    `server { listen 127.0.0.1:${servicePort}; location / { return 200 "served"; } }`,
  ].join('\n');
  return stage.start(NGINX, { BENCH_NGINX_PORT: String(port), BENCH_NGINX: http });
}
