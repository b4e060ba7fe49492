import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';

import { Deadline } from '../../src/common/deadline/index.js';
import { NearCache } from '../../src/near-cache/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { Resharding } from '../chaos/resharding.js';
import { TestAuthority, type CertificateFiles } from '../support/certificates.js';
import { startDeployment, type Deployment } from '../support/deployment.js';
import { Instance } from '../support/instance.js';
import { luaScript } from '../support/lua-script.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { testSettings } from '../support/test-app.js';

const MAX_RESPONSE_MS = 2000;
const setScript = luaScript(`-- KEYS[1] a key\nreturn redis.call('SET', KEYS[1], ARGV[1])`);
const getScript = luaScript(`-- KEYS[1] a key\nreturn redis.call('GET', KEYS[1])`);

/** On a cluster with TLS for all clients and between its nodes. */
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
    work: (redis: RedisCluster) => Promise<T>,
    more: Record<string, string> = {},
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

  /** Users of all masters log in and out on one instance, and the other instance refuses their tokens at once. */
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

  it('is used for everything: scripts, durable writes and the channel of the near cache', async () => {
    expect(await onEveryNode('CONFIG', 'GET', 'port')).toEqual(Array(6).fill('port,0'));

    await expectService();

    const subscribers = await onEveryNode('CLIENT', 'LIST', 'TYPE', 'pubsub');
    expect(subscribers.join().match(/cmd=(ssubscribe|ping)/g)).toHaveLength(2);
  });

  it('is used for ASK and MOVED redirections', async () => {
    const resharding = new Resharding(own);
    await withRedisCluster(async (redis) => {
      const slot = await resharding.slotOf('test.moving');
      const from = await resharding.masterOf(slot);
      const to = (await own.masters()).find((port) => port !== from)!;
      await read(redis, 'moving');

      await resharding.beginMove(slot, from, to);
      expect(await read(redis, 'moving')).toBeNull();
      await write(redis, 'moving');
      expect(await own.cluster.call(to, 'CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe('1');
      expect(await read(redis, 'moving')).toBe('moving');

      await resharding.finishMove(slot, from, to);
      expect(await read(redis, 'moving')).toBe('moving');
    });
    await expectService();
  });

  it('is used after a failover', async () => {
    const [master] = await own.masters();
    const replica = await own.replicaOf(master!);

    await own.cluster.call(replica, 'CLUSTER', 'FAILOVER');
    await eventually('the replica leads', 10_000, async () =>
      (await own.masters()).includes(replica),
    );

    await own.untilWhole();
    await expectService();
  });

  describe('with a node whose certificate cannot be trusted', () => {
    /** The bytes that a server with this certificate receives from an instance that connects to it twice. */
    const receivedBy = async (
      served: CertificateFiles,
      more: Record<string, string> = {},
    ): Promise<string> => {
      let heard = '';
      let ended = 0;
      const server = createServer(
        { cert: readFileSync(served.cert), key: readFileSync(served.key) },
        (socket) => {
          socket.on('data', (data: Buffer) => (heard += data.toString('latin1')));
          socket.on('error', () => undefined).on('close', () => (ended += 1));
        },
      );
      server.on('tlsClientError', (_, socket) => {
        socket.on('error', () => undefined);
        ended += 1;
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as AddressInfo;
      await withRedisCluster(
        async (redis) => {
          await expect(read(redis, 'x')).rejects.toThrow('got no answer');
          await eventually('it has tried', 10_000, () => Promise.resolve(ended >= 2));
        },
        { REDIS_NODES: `127.0.0.1:${port}`, ...more },
      );
      server.close();
      return heard;
    };

    it('sends nothing, not even the password, to a node of an unknown certificate authority', async () => {
      const stranger = await TestAuthority.create(folder, 'stranger');
      const forged = await stranger.issue({ type: 'ip', value: '127.0.0.1' });

      expect(await receivedBy(forged)).toBe('');
    });

    it('trusts the certificate authorities of the system by default, and sends nothing to a node of another authority', async () => {
      expect(await receivedBy(certificate, { REDIS_TLS_CA: '' })).toBe('');
    });

    it('sends nothing to a node whose certificate has another name', async () => {
      const other = await authority.issue(
        { type: 'dns', value: 'redis.test' },
        { type: 'ip', value: '::1' },
      );

      expect(await receivedBy(other)).toBe('');
    });

    it('authenticates to a trusted node', async () => {
      expect(await receivedBy(certificate)).toContain(variables['REDIS_PASSWORD']);
    });
  });

  it.each<[string, () => Promise<Record<string, string>>, RegExp]>([
    [
      'the nodes are certified by another authority',
      async () => ({ REDIS_TLS_CA: (await TestAuthority.create(folder, 'other')).file }),
      /Redis node 127\.0\.0\.1:\d+: .*certificate/,
    ],
    [
      'it speaks plain text to nodes that want TLS',
      () => Promise.resolve({ REDIS_TLS: 'false', REDIS_TLS_CA: '' }),
      /Redis node 127\.0\.0\.1:\d+: (Connection is closed|read ECONNRESET)/,
    ],
    [
      'it speaks TLS to nodes that want plain text',
      () => Promise.resolve({ REDIS_NODES: process.env['TEST_REDIS_NODES']! }),
      /Redis node 127\.0\.0\.1:\d+: (timeout|connect ETIMEDOUT)/,
    ],
  ])('answers 503 at once and says why when %s', async (_, change, reason) => {
    const instance = await Instance.launch({
      ...variables,
      ...(await change()),
      LOG_LEVEL: 'info',
    });
    try {
      for (const send of [
        () => instance.login('somebody'),
        () => instance.request('GET', '/health/ready'),
      ]) {
        const begin = performance.now();
        expect((await send()).status).toBe(503);
        expect(performance.now() - begin).toBeLessThan(MAX_RESPONSE_MS);
      }
      expect(instance.output()).toMatch(reason);
    } finally {
      await instance.stop();
    }
  });

  describe('to nodes that require a client certificate', () => {
    beforeAll(async () => onEveryNode('CONFIG', 'SET', 'tls-auth-clients', 'yes'));
    afterAll(async () => onEveryNode('CONFIG', 'SET', 'tls-auth-clients', 'no'));

    it('is refused without a certificate, and works with one', async () => {
      await withRedisCluster(async (redis) => {
        await expect(read(redis, 'id-0')).rejects.toThrow('got no answer');
      });
      const client = await authority.issue({ type: 'dns', value: 'keyslot.test' });
      const instance = await Instance.start({
        ...variables,
        REDIS_TLS_CERT: client.cert,
        REDIS_TLS_KEY: client.key,
      });

      const user = await instance.newUser();
      const { access_token: token } = user.tokens;
      expect((await instance.ownUser(token)).status).toBe(200);
      expect((await instance.request('POST', '/api/logout', { token })).status).toBe(204);
      await instance.stop();
    });

    it('reloads certificate and key from their files when they match', async () => {
      const stranger = await TestAuthority.create(folder, 'strange-clients');
      const [unknown, known] = await Promise.all(
        [stranger, authority].map(async (issuer) =>
          issuer.issue({ type: 'dns', value: 'keyslot.test' }),
        ),
      );
      const [cert, key] = [join(folder, 'client.pem'), join(folder, 'client.key')];
      copyFileSync(unknown!.cert, cert);
      copyFileSync(unknown!.key, key);
      const instance = await Instance.launch({
        ...variables,
        REDIS_TLS_CERT: cert,
        REDIS_TLS_KEY: key,
      });
      expect((await instance.request('GET', '/health/ready')).status).toBe(503);

      copyFileSync(known!.cert, cert);
      expect((await instance.request('GET', '/health/ready')).status).toBe(503);
      copyFileSync(known!.key, key);

      await instance.untilReady();
      expect((await instance.register('somebody')).status).toBe(201);
      await instance.stop();
    });
  });

  it('checks the announced host names of nodes', async () => {
    const named = await authority.issue({ type: 'dns', value: 'localhost' });
    await onEveryNode('CONFIG', 'SET', 'cluster-announce-hostname', 'localhost');
    await onEveryNode('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'hostname');
    await present(named);
    await eventually('all nodes know all names', 10_000, async () => {
      const views = await onEveryNode('CLUSTER', 'NODES');
      return views.every((view) => view.match(/,localhost /g)?.length === 6);
    });
    const port = ports()[0]!;

    await withRedisCluster(
      async (redis) => {
        await Promise.all(ids.map((id) => write(redis, id)));
        expect(await Promise.all(ids.map((id) => read(redis, id)))).toEqual(ids);
      },
      { REDIS_NODES: `localhost:${port}` },
    );
    await withRedisCluster(
      async (redis) => expect(read(redis, 'id-0')).rejects.toThrow('got no answer'),
      { REDIS_NODES: `127.0.0.1:${port}` },
    );
  });
});
