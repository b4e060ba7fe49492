import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

import { Instance } from '../support/instance.js';
import { eventually } from '../support/own-cluster.js';
import type { TestUser } from '../support/http-client.js';

const CONNECTIONS = 60;
/** More than Node reads in one chunk. */
const REQUESTS = 1900;
const MAX_GROWTH = 1.5;

const pipelined = (line: string): string => `${line}\r\nHost: a\r\n\r\n`.repeat(REQUESTS);

/** Requirement 75: on a separate instance, whose memory is measured. */
describe('clients that pipeline requests and read no response', () => {
  let instance: Instance;
  let user: TestUser;
  const clients: Socket[] = [];
  beforeAll(async () => {
    instance = await Instance.start({ REDIS_KEY_PREFIX: 't-unread:' });
    user = await instance.newUser();
    // Warms up the code and the heap.
    for (let count = 0; count < 1500; count += 1) {
      await instance.ownUser(user.tokens.access_token);
      await instance.request('GET', '/nothing');
    }
  });
  afterEach(() => clients.splice(0).forEach((client) => client.destroy()));
  afterAll(async () => instance.stop());

  const memoryKiB = (): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${instance.pid}/status`, 'utf8'))?.[1]);
  const ask = async (message: string): Promise<void> => {
    const { hostname, port } = new URL(instance.url);
    const socket = connect(Number(port), hostname);
    clients.push(socket.on('error', () => undefined));
    socket.pause();
    // The instance does not have to read all of it.
    socket.write(message);
    await new Promise((done) => socket.once('connect', done));
  };

  it.each([
    ['an unknown path', 'GET /nothing HTTP/1.1'],
    ['headers only', 'HEAD /health/live HTTP/1.1'],
    ['a guarded route', 'GET /api/user HTTP/1.1'],
    ['large files', 'GET /docs/swagger-ui-bundle.js HTTP/1.1'],
    ['a long document', 'GET /docs-json HTTP/1.1'],
  ])(
    'and ask for %s do not increase memory usage, and other clients are answered',
    async (_, line) => {
      const resting = memoryKiB();
      let most = 0;

      for (let connection = 0; connection < CONNECTIONS; connection += 1) {
        await ask(pipelined(line));
        // On a loaded machine it may shed load, but it always answers this request.
        expect((await instance.request('GET', '/health/live')).status).toBe(200);
        most = Math.max(most, memoryKiB());
      }

      expect(most / resting).toBeLessThan(MAX_GROWTH);
      clients.splice(0).forEach((client) => client.destroy());
      const isServed = async (): Promise<boolean> =>
        (await instance.ownUser(user.tokens.access_token)).status === 200;
      await eventually('it serves again', 30_000, isServed);
    },
  );
});
