import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseClusterNodes } from '../../src/redis-cluster/index.js';
import { freePort } from '../support/free-port.js';
import { Instance } from '../support/instance.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';

const TOLD_WITHIN_MS = 20_000;

/** An instance that waits for Redis says what it waits for and why. */
describe('a start that cannot become ready', () => {
  const opened: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) {
      await close();
    }
  });

  const launch = async (variables: Record<string, string>): Promise<Instance> => {
    const instance = await Instance.launch({ LOG_LEVEL: 'warn', ...variables });
    opened.push(async () => instance.stop());
    return instance;
  };
  const cluster = async (...configuration: string[]): Promise<OwnCluster> => {
    const own = await startOwnCluster({ configuration });
    opened.push(async () => own.removeDespiteRefusals());
    return own;
  };
  const onEveryNode = async (own: OwnCluster, name: string, ...args: string[]): Promise<unknown> =>
    Promise.all(
      own.cluster.addresses.map(async ({ port }) => own.cluster.call(port, name, ...args)),
    );
  const expectTold = async (instance: Instance, what: RegExp): Promise<void> => {
    const told = (): string[] =>
      instance
        .output()
        .split('\n')
        .filter((line) => line.includes('"level":"warn"') && line.includes('Not ready yet'))
        .filter((line) => what.test(line));
    await eventually(`the log tells ${what.source}`, TOLD_WITHIN_MS, () =>
      Promise.resolve(told().length > 0),
    );
    const first = told().length;
    await eventually('the log tells it again', TOLD_WITHIN_MS, () =>
      Promise.resolve(told().length > first),
    );
  };

  it('names a host that cannot be resolved', async () => {
    const instance = await launch({ REDIS_NODES: 'redis.invalid:6379' });

    await expectTold(instance, /the name redis\.invalid cannot be resolved/);
  });

  it('names a node that does not answer', async () => {
    const port = await freePort();
    const instance = await launch({ REDIS_NODES: `127.0.0.1:${port}` });

    await expectTold(instance, /node 127\.0\.0\.1:\d+ does not answer: connect ECONNREFUSED/);
  });

  it.each([
    [
      'says that no slots are assigned',
      'yes',
      /16384 of 16384 hash slots are assigned to no master/,
    ],
    ['names a node that is in no cluster', 'no', /is no node of a cluster/],
  ])('%s', async (_, isCluster, what) => {
    const folder = mkdtempSync(join(tmpdir(), 'keyslot-bare-'));
    const port = await freePort();
    const args = ['--port', String(port), '--cluster-enabled', isCluster, '--dir', folder];
    // The bus of a cluster would be beyond the last port.
    const bus = isCluster === 'yes' ? ['--cluster-port', String(await freePort())] : [];
    const server = spawn('redis-server', [...args, ...bus, '--save', ''], { stdio: 'ignore' });
    opened.push(async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    });
    const instance = await launch({
      REDIS_NODES: `127.0.0.1:${port}`,
      REDIS_USERNAME: '',
      REDIS_PASSWORD: '',
    });

    await expectTold(instance, what);
  });

  it('names masters without replicas', async () => {
    const own = await cluster();
    const masters = await own.masters();
    const replicas = [...own.cluster.pids.keys()].filter((port) => !masters.includes(port));
    replicas.forEach((port) => own.signal(port, 'SIGKILL'));
    await eventually('the masters know of the loss', TOLD_WITHIN_MS, async () =>
      parseClusterNodes(await own.cluster.call(masters[0]!, 'CLUSTER', 'NODES')).some(
        ({ isReplica, isFailed }) => isReplica && isFailed,
      ),
    );
    const instance = await launch(own.variables);

    await expectTold(instance, /has 0 replicas that are up, and each write waits for 1/);
  });

  it('says that nodes announce no address', async () => {
    const own = await cluster();
    await onEveryNode(own, 'CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'hostname');
    const instance = await launch(own.variables);

    await expectTold(instance, /some nodes announce no address: set cluster-announce-ip/);
  });

  it.each<[string, string[], string[], RegExp]>([
    ['that is disabled', ['rename-command WAIT ""'], [], /does not know the command wait/],
    ['that is refused', [], ['-wait'], /refuses the user the command wait/],
  ])('names a WAIT %s, and registrations are 503', async (_, configuration, rules, what) => {
    const own = await cluster(...configuration);
    await own.changeUser(...rules);
    const instance = await launch(own.variables);

    expect((await instance.register('somebody')).status).toBe(503);
    await expectTold(instance, what);
    if (rules.length > 0) {
      await own.restoreUser();
      await instance.untilReady();
      expect((await instance.register('somebody')).status).toBe(201);
    }
  });

  it('says that the user is wrong', async () => {
    const own = await cluster();
    const instance = await launch({ ...own.variables, REDIS_PASSWORD: 'wrong' });

    await expectTold(instance, /check REDIS_USERNAME and REDIS_PASSWORD/);
  });
});

describe('an eviction policy that removes users and sessions', () => {
  it('is named at start and in the health', async () => {
    const own = await startOwnCluster({
      hasOnePassword: true,
      configuration: ['maxmemory-policy allkeys-lru'],
    });
    const instance = await Instance.start({
      ...own.variables,
      LOG_LEVEL: 'warn',
      REDIS_USERNAME: '',
      REDIS_PASSWORD: own.cluster.password.reveal(),
    });

    await eventually('it is known', TOLD_WITHIN_MS, async () => {
      const { body } = await instance.request('GET', '/health/ready');
      return (body['checks'] as Record<string, unknown>)['evictionPolicy'] === 'allkeys-lru';
    });
    expect(instance.output()).toContain('Redis has the eviction policy allkeys-lru');
    await instance.stop();
    await own.removeDespiteRefusals();
  });
});
