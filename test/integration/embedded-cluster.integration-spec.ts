import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';

import { jest } from '@jest/globals';
import { Cluster } from 'ioredis';
import { Deadline } from '../../src/common/deadline/index.js';
import { EmbeddedCluster, EmbeddedClusterError } from '../../src/embedded-cluster/index.js';
import { parseClusterNodes, RedisCluster } from '../../src/redis-cluster/index.js';
import { luaScript } from '../support/lua-script.js';
import { eventually } from '../support/own-cluster.js';

const FIRST_PORT = 16_000;

const WRITE_TWICE = `
  redis.call('SET', KEYS[1], 'half')
  return redis.call('SET', KEYS[1], ARGV[1])`;

const SET = luaScript(`-- KEYS[1] a key\nreturn redis.call('SET', KEYS[1], ARGV[1])`);

describe('the embedded cluster', () => {
  let directory: string;
  const started: EmbeddedCluster[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keyslot-embedded-'));
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((cluster) => cluster.stop()));
    rmSync(directory, { recursive: true, force: true });
  });

  const start = async (
    options: Partial<Parameters<typeof EmbeddedCluster.start>[0]> = {},
  ): Promise<EmbeddedCluster> => {
    const cluster = await EmbeddedCluster.start({ directory, firstPort: FIRST_PORT, ...options });
    started.push(cluster);
    return cluster;
  };
  const listen = async (port: number): Promise<Server> =>
    new Promise((resolve) => {
      const server = createServer()
        .listen(port, '127.0.0.1', () => resolve(server))
        .unref();
    });
  const withClient = async <T>(
    cluster: EmbeddedCluster,
    work: (client: Cluster) => Promise<T>,
  ): Promise<T> => {
    const client = new Cluster(cluster.addresses, {
      redisOptions: { password: cluster.password.reveal() },
    });
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  };
  const write = async (cluster: EmbeddedCluster): Promise<void> =>
    withClient(cluster, async (client) => {
      for (let index = 0; index < 50; index += 1) {
        // Two writes in one script are one transaction in the append-only file, like most of our writes.
        await client.eval(WRITE_TWICE, 1, `key-${index}`, index);
      }
      await Promise.all(client.nodes('master').map((master) => master.wait(1, 1000)));
    });
  const expectAllThere = async (cluster: EmbeddedCluster): Promise<void> =>
    withClient(cluster, async (client) => {
      for (let index = 0; index < 50; index += 1) {
        expect(await client.get(`key-${index}`)).toBe(String(index));
      }
    });

  it('has three masters and three synced replicas, and requires a password', async () => {
    const cluster = await start();

    for (const { port } of cluster.addresses) {
      expect(await cluster.call(port, 'CLUSTER', 'INFO')).toContain('cluster_state:ok');
      expect(await cluster.call(port, 'CONFIG', 'GET', 'bind')).toContain('127.0.0.1');
      expect(await cluster.call(port, 'CONFIG', 'GET', 'appendonly')).toContain('yes');
    }
    const { port } = cluster.addresses[0]!;
    const nodes = await cluster.call(port, 'CLUSTER', 'NODES');
    expect(nodes.match(/master/g)).toHaveLength(3);
    expect(nodes.match(/slave/g)).toHaveLength(3);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(String(data));
      });
    });
    expect(answer).toContain('NOAUTH');
  });

  it('has more replicas on request, and keeps them across a restart', async () => {
    const options = { replicasPerMaster: 2, spareReplicas: 1 };
    const replicas = async (cluster: EmbeddedCluster): Promise<number[]> => {
      const counts = cluster.addresses.map(async ({ port }) =>
        Number(/connected_slaves:(\d)/.exec(await cluster.call(port, 'INFO', 'replication'))![1]),
      );
      return (await Promise.all(counts)).sort();
    };
    const first = await start(options);
    await write(first);
    expect(await replicas(first)).toEqual([0, 0, 0, 0, 0, 0, 0, 2, 2, 3]);
    await first.stop();
    renameSync(join(directory, 'node-1'), join(directory, 'node-1.damaged'));

    const second = await start(options);
    expect(await replicas(second)).toEqual([0, 0, 0, 0, 0, 0, 0, 2, 2, 3]);
    await expectAllThere(second);
  });

  it('starts a node again that has exited', async () => {
    const cluster = await start({ restartNodes: 'never' });
    process.kill(cluster.pids.get(FIRST_PORT + 3)!, 'SIGKILL');
    await eventually('the node has exited', 20_000, () =>
      Promise.resolve(!cluster.pids.has(FIRST_PORT + 3)),
    );

    await cluster.startNode(FIRST_PORT + 3);

    expect(await cluster.call(FIRST_PORT + 3, 'PING')).toBe('PONG');
  });

  it('keeps its data across a restart, and leaves no processes in between', async () => {
    const first = await start();
    await write(first);
    const pids = [...first.pids.values()];
    await first.stop();
    for (const pid of pids) {
      expect(() => process.kill(pid, 0)).toThrow();
    }

    await expectAllThere(await start());
  });

  it('waits at a restart until each replica has loaded the copy of its master', async () => {
    const first = await start();
    await write(first);
    await withClient(first, async (client) => {
      for (let index = 0; index < 50; index += 1) {
        await client.set(`large-${index}`, randomBytes(4096));
      }
    });
    await first.stop();
    rmSync(join(directory, 'node-3'), { recursive: true });

    // Redis loads each key as slowly as many keys, and refuses commands meanwhile (LOADING).
    const second = await start({
      configuration: ['key-load-delay 40000', 'loading-process-events-interval-bytes 1024'],
    });

    await expectAllThere(second);
  });

  it('moves to other ports, with its data, when its own are in use', async () => {
    const first = await start();
    await write(first);
    await first.stop();
    const stranger = await listen(FIRST_PORT + 2);

    const second = await start();

    expect(second.addresses[0]!.port).toBeGreaterThan(FIRST_PORT);
    await expectAllThere(second);
    stranger.close();
  });

  it('names the ports in use if it may not use others', async () => {
    const stranger = await listen(FIRST_PORT + 10_003);

    await expect(start({ whenPortsAreBusy: 'stop' })).rejects.toThrow(
      new RegExp(`the cluster needs: ${FIRST_PORT + 10_003}`),
    );
    stranger.close();
  });

  it('stops the nodes of a killed run, and uses their data', async () => {
    const dist = new URL('../../dist/embedded-cluster/index.js', import.meta.url);
    const program = `
      const { EmbeddedCluster } = await import(${JSON.stringify(dist.href)});
      await EmbeddedCluster.start({ directory: ${JSON.stringify(directory)}, firstPort: ${FIRST_PORT} });
      process.stdout.write('ready');
      setInterval(() => {}, 1000);`;
    const run = spawn(process.execPath, ['--input-type=module', '-e', program]);
    await new Promise((resolve) => run.stdout.once('data', resolve));
    run.kill('SIGKILL');
    await new Promise((resolve) => run.once('exit', resolve));

    const cluster = await start({ whenPortsAreBusy: 'stop' });

    expect(cluster.pids.size).toBe(6);
    await write(cluster);
    await expectAllThere(cluster);
  });

  it('refuses a second owner of the same folder, and explains how to share it', async () => {
    await start();

    await expect(start()).rejects.toThrow(/already runs on .* REDIS_NODES=127\.0\.0\.1:16000/s);
  });

  it('names a node with damaged data, and recovers after the folder is moved away', async () => {
    const first = await start();
    await write(first);
    await first.stop();
    const folder = join(directory, 'node-4');
    writeFileSync(join(folder, 'nodes.conf'), 'this is no cluster configuration\n');

    const error: unknown = await start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EmbeddedClusterError);
    expect((error as Error).message).toContain(folder);
    expect((error as Error).message).toContain('move');

    renameSync(folder, `${folder}.damaged`);
    await expectAllThere(await start());
  });

  it('restores the data of an emptied master from its replica', async () => {
    const first = await start();
    await write(first);
    await first.stop();
    for (const node of ['node-1', 'node-2']) {
      renameSync(join(directory, node), join(directory, `${node}.damaged`));
    }

    const second = await start();
    await expectAllThere(second);
    await second.stop();
    await expectAllThere(await start());
  });

  it('confirms writes after a replica was emptied, although the masters still list its former id', async () => {
    const first = await start();
    await first.stop();
    renameSync(join(directory, 'node-4'), join(directory, 'node-4.damaged'));

    const cluster = await start();
    const { port } = cluster.addresses[0]!;
    const listed = parseClusterNodes(await cluster.call(port, 'CLUSTER', 'NODES'));
    expect(listed.filter(({ isReplica }) => isReplica)).toHaveLength(4);
    const redis = new RedisCluster({ nodes: cluster.addresses, password: cluster.password });
    try {
      for (let index = 0; index < 20; index += 1) {
        const keys = [redis.keys.key(['test', `${index}`], 'value')];
        await redis.runDurably(SET, keys, [index], Deadline.none);
      }
    } finally {
      await redis.onApplicationShutdown();
    }
  });

  it('reports at once when a master and its replica have both lost their data', async () => {
    const first = await start();
    await first.stop();
    for (const node of ['node-1', 'node-4']) {
      rmSync(join(directory, node, 'appendonlydir'), { recursive: true });
    }

    await expect(start()).rejects.toThrow(/data of a master and its replica are missing: .*node-1/);
  });

  it('stops restarting a node that cannot start', async () => {
    const cluster = await start();
    await write(cluster);
    const notices = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const manifest = join(directory, 'node-4', 'appendonlydir', 'appendonly.aof.manifest');
    writeFileSync(manifest, 'this is no manifest\n');
    process.kill(cluster.pids.get(FIRST_PORT + 3)!, 'SIGKILL');

    await eventually('the failure is told', 20_000, () =>
      Promise.resolve(notices.mock.calls.join().includes('If its data is damaged')),
    );
    const told = notices.mock.calls.length;
    await write(cluster).catch(() => undefined);
    notices.mockRestore();

    expect(told).toBe(2);
    expect(cluster.pids.has(FIRST_PORT + 3)).toBe(false);
  });

  it('does not touch a foreign cluster, even one without a password', async () => {
    const first = await start();
    await first.stop();
    const stranger = spawn('redis-server', ['--port', String(FIRST_PORT), '--save', ''], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    await new Promise<void>((resolve) => {
      stranger.stdout.on('data', (data) => {
        output += String(data);
        if (output.includes('Ready to accept connections')) {
          resolve();
        }
      });
    });

    await start();

    expect(stranger.exitCode).toBeNull();
    expect(() => process.kill(stranger.pid!, 0)).not.toThrow();
    stranger.kill('SIGTERM');
    await new Promise((resolve) => stranger.once('exit', resolve));
  });

  it('survives a truncated append-only file', async () => {
    const first = await start();
    await write(first);
    await first.stop();
    const folder = join(directory, 'node-1', 'appendonlydir');
    expect(existsSync(folder)).toBe(true);
    appendFileSync(join(folder, 'appendonly.aof.1.incr.aof'), '*3\r\n$3\r\nSET\r\n$3\r\nke');

    await expectAllThere(await start());
  });

  it('restarts a killed node after its replica was promoted, and loses no data', async () => {
    const cluster = await start();
    await write(cluster);
    const port = FIRST_PORT;
    process.kill(cluster.pids.get(port)!, 'SIGKILL');

    await eventually('the node is back, as a replica', 20_000, async () =>
      cluster.call(port, 'INFO', 'replication').then(
        (info) => info.includes('role:slave') && info.includes('master_link_status:up'),
        () => false,
      ),
    );

    await expectAllThere(cluster);
  });
});
