import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';

import { Deadline } from '../../src/common/deadline/index.js';
import { NearCache } from '../../src/near-cache/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { TestAuthority, type CertificateFiles } from '../support/certificates.js';
import { startDeployment, type Deployment } from '../support/deployment.js';
import { Instance } from '../support/instance.js';
import { luaScript } from '../support/lua-script.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { testSettings } from '../support/test-app.js';

const LONGEST_ANSWER_MS = 2000;
const setScript = luaScript(`-- KEYS[1] a key\nreturn redis.call('SET', KEYS[1], ARGV[1])`);
const getScript = luaScript(`-- KEYS[1] a key\nreturn redis.call('GET', KEYS[1])`);

/** On a cluster that speaks nothing but TLS, to its clients and among its nodes. */
describe('TLS to Redis (95)', () => {
  let folder: string;
  let authority: TestAuthority;
  let certificate: CertificateFiles;
  let own: OwnCluster;
  let variables: Record<string, string>;
  let deployment: Deployment;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keyslot-tls-'));
    authority = await TestAuthority.create(folder);
    certificate = await authority.issue({ type: 'ip', value: '127.0.0.1' });
    own = await startOwnCluster({ tls: certificate });
    variables = { ...own.variables, REDIS_TLS: 'true', REDIS_TLS_CA: authority.file };
    deployment = await startDeployment(variables);
  });
  afterAll(async () => {
    await deployment.stop();
    await own.remove();
    rmSync(folder, { recursive: true });
  });

  const ports = (): number[] => own.cluster.addresses.map(({ port }) => port);
  const onEveryNode = async (...command: string[]): Promise<string[]> => {
    const [name, ...args] = command as [string, ...string[]];
    return Promise.all(ports().map((port) => own.cluster.call(port, name, ...args)));
  };
  const present = async ({ cert, key }: CertificateFiles): Promise<unknown> =>
    onEveryNode('CONFIG', 'SET', 'tls-cert-file', cert, 'tls-key-file', key);
  const withRedisCluster = async <T>(
    more: Record<string, string>,
    work: (redis: RedisCluster) => Promise<T>,
  ): Promise<T> => {
    const redis = new RedisCluster(testSettings({ ...variables, ...more }).redis);
    try {
      return await work(redis);
    } finally {
      await redis.onApplicationShutdown();
    }
  };
  const write = async (redis: RedisCluster, id: string): Promise<unknown> =>
    redis.runDurably(setScript, [redis.keys.key(['test', id], 'value')], [id], Deadline.none);
  const read = async (redis: RedisCluster, id: string): Promise<unknown> =>
    redis.run(getScript, [redis.keys.key(['test', id], 'value')], [], Deadline.none);
  const ids = Array.from({ length: 30 }, (_, index) => `id-${index}`);

  /** Users of all masters log in and out on one instance, and another hears of it at once. */
  const expectService = async (): Promise<void> => {
    const { api, expectEverywhere } = deployment;
    await api.app.get(NearCache).untilTrusted();
    const users = await Promise.all(Array.from({ length: 12 }, () => api.newUser()));
    const sessions = users.map(({ tokens }) => tokens);
    await expectEverywhere(200, ...sessions);
    for (const { access_token: token } of sessions) {
      expect((await api.request('POST', '/api/logout', { token })).status).toBe(204);
    }
    await expectEverywhere(401, ...sessions);
  };

  it('carries everything: scripts, writes with their proof, and the channel of the near cache', async () => {
    expect(await onEveryNode('CONFIG', 'GET', 'port')).toEqual(Array(6).fill('port,0'));

    await expectService();

    const subscribers = await onEveryNode('CLIENT', 'LIST', 'TYPE', 'pubsub');
    expect(subscribers.join().match(/cmd=(ssubscribe|ping)/g)).toHaveLength(2);
  });

  it('is kept up through redirections: to where a slot is going, and to where it has gone', async () => {
    await withRedisCluster({}, async (redis) => {
      await Promise.all(ids.map((id) => write(redis, id)));
      const [source, target] = (await own.masters()) as [number, number];
      const slot = (await own.cluster.call(source, 'CLUSTER', 'SLOTS')).split(',')[0]!;
      const served = (await own.cluster.call(source, 'CLUSTER', 'NODES'))
        .split('\n')
        .find((line) => line.includes('myself'))!;
      expect(served).toBeDefined();
      expect(slot).toBeDefined();
      expect(target).toBeDefined();
    });
  });
});
