import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseClusterNodes } from '../../src/redis-cluster/index.js';
import { freePort } from '../support/free-port.js';
import { Instance } from '../support/instance.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';

const LOG_TIMEOUT_MS = 20_000;

/** An instance that waits for Redis logs the reason. */
describe('a start that cannot become ready', () => {
  let own: OwnCluster;
  const opened: (() => Promise<unknown>)[] = [];
  beforeAll(async () => (own = await startOwnCluster()));
  afterAll(async () => own.removeDespiteRefusals());
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
  const onEveryNode = async (name: string, ...args: string[]): Promise<unknown> =>
    Promise.all(
      own.cluster.addresses.map(async ({ port }) => own.cluster.call(port, name, ...args)),
    );
  const told = (instance: Instance, what: RegExp): string[] =>
    instance
      .output()
      .split('\n')
      .filter((line) => line.includes('"level":"warn"') && line.includes('Not ready yet'))
      .filter((line) => what.test(line));
  const expectLogged = async (instance: Instance, what: RegExp, times = 1): Promise<unknown> =>
    eventually(`the log tells ${what.source} (${times})`, LOG_TIMEOUT_MS, () =>
      Promise.resolve(told(instance, what).length >= times),
    );

  it('logs a host that cannot be resolved', async () => {
    const instance = await launch({ REDIS_NODES: 'redis.invalid:6379' });

    await expectLogged(instance, /the name redis\.invalid cannot be resolved/);
  });

  it('logs a node that does not answer, repeatedly', async () => {
    const port = await freePort();
    const instance = await launch({ REDIS_NODES: `127.0.0.1:${port}` });

    const what = /node 127\.0\.0\.1:\d+ does not answer: connect ECONNREFUSED/;
    await expectLogged(instance, what);
    await expectLogged(instance, what, 2);
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
    // The port of the cluster bus would exceed the highest port number.
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

    await expectLogged(instance, what);
  });

  it('logs that nodes announce no address', async () => {
    const endpoint = 'cluster-preferred-endpoint-type';
    await onEveryNode('CONFIG', 'SET', endpoint, 'hostname');
    opened.push(async () => onEveryNode('CONFIG', 'SET', endpoint, 'ip'));
    const instance = await launch(own.variables);

    await expectLogged(instance, /some nodes announce no address: set cluster-announce-ip/);
  });

  it.each([
    ['wait', 'somebody'],
    ['cluster|nodes', 'somebody-else'],
  ])(
    'logs that %s is not permitted, and answers registrations with 503 until it is',
    async (command, name) => {
      await own.changeUser(`-${command}`);
      opened.push(async () => own.restoreUser());
      const instance = await launch(own.variables);

      expect((await instance.register(name)).status).toBe(503);
      await expectLogged(
        instance,
        new RegExp(`refuses the user the command ${command.replace('|', '\\|')}`),
      );
      await own.restoreUser();
      await instance.untilReady();
      expect((await instance.register(name)).status).toBe(201);
    },
  );

  it('logs that WAIT is disabled, and answers registrations with 503', async () => {
    const disabled = await startOwnCluster({ configuration: ['rename-command WAIT ""'] });
    opened.push(async () => disabled.removeDespiteRefusals());
    const instance = await launch(disabled.variables);

    expect((await instance.register('somebody')).status).toBe(503);
    await expectLogged(instance, /does not know the command wait/);
  });

  it('logs wrong credentials', async () => {
    const instance = await launch({ ...own.variables, REDIS_PASSWORD: 'wrong' });

    await expectLogged(instance, /check REDIS_USERNAME and REDIS_PASSWORD/);
  });

  it('logs an eviction policy that removes users and sessions, and shows it in the health details', async () => {
    await onEveryNode('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    opened.push(async () => onEveryNode('CONFIG', 'SET', 'maxmemory-policy', 'noeviction'));
    // A user with minimum permissions may not read the policy.
    await onEveryNode('ACL', 'SETUSER', 'default', 'on', '>a-password');
    opened.push(async () => onEveryNode('ACL', 'SETUSER', 'default', 'off', 'resetpass'));
    const instance = await launch({
      REDIS_NODES: own.variables.REDIS_NODES,
      REDIS_USERNAME: '',
      REDIS_PASSWORD: 'a-password',
    });

    await eventually('it is known', LOG_TIMEOUT_MS, async () => {
      const { body } = await instance.request('GET', '/health/ready');
      return (body['checks'] as Record<string, unknown>)['evictionPolicy'] === 'allkeys-lru';
    });
    expect(instance.output()).toContain('Redis has the eviction policy allkeys-lru');
  });

  // Last, because it damages the cluster.
  it('logs masters without replicas if each write needs one', async () => {
    const masters = await own.masters();
    const replicas = [...own.cluster.pids.keys()].filter((port) => !masters.includes(port));
    replicas.forEach((port) => own.signal(port, 'SIGKILL'));
    await eventually('the masters know of the loss', LOG_TIMEOUT_MS, async () =>
      parseClusterNodes(await own.cluster.call(masters[0]!, 'CLUSTER', 'NODES')).some(
        ({ isReplica, isFailed }) => isReplica && isFailed,
      ),
    );
    const instance = await launch({ ...own.variables, REDIS_REQUIRE_REPLICA: 'true' });

    await expectLogged(
      instance,
      /has no replica that is up, and each write needs the confirmation of one \(REDIS_REQUIRE_REPLICA\)/,
    );
  });
});
