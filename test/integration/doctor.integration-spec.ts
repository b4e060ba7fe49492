import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { EXPECTED_SETTINGS } from '../../src/cli/doctor/node-checks.js';
import { lacksLuaFixes } from '../../src/cli/doctor/redis-version.js';
import {
  DEFAULT_USER_RULES,
  parseClusterNodes,
  type ClusterNode,
} from '../../src/redis-cluster/index.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';

const CLI = resolve('dist/cli.js');
/** The servers of the tests fsync once a second, have no memory limit, and may be of any version. */
const KNOWN = /^(?:ok|warning: (?:version|maxmemory)): /;

interface Result {
  readonly status: number;
  readonly lines: string[];
  readonly errors: string;
}

describe('keyslot doctor', () => {
  let own: OwnCluster;
  beforeAll(async () => (own = await startOwnCluster()));
  afterAll(async () => own.removeDespiteRefusals());

  const nodesSeenBy = async (port: number): Promise<ClusterNode[]> =>
    parseClusterNodes(await own.cluster.call(port, 'CLUSTER', 'NODES'));
  const ports = (): number[] => own.cluster.addresses.map(({ port }) => port);
  const run = async (variables: Record<string, string>, ...args: string[]): Promise<Result> =>
    new Promise((done) => {
      const env = { PATH: process.env['PATH'], ...variables };
      const options = { cwd: tmpdir(), env }; // without .env
      execFile(process.execPath, [CLI, 'doctor', ...args], options, (error, stdout, errors) =>
        done({
          status: Number(error?.code ?? 0),
          lines: stdout.split('\n').filter(Boolean),
          errors,
        }),
      );
    });
  const asOperator = async (variables: Record<string, string> = {}): Promise<Result> =>
    run(
      {
        REDIS_NODES: `127.0.0.1:${ports()[0]}`,
        REDIS_ADMIN_PASSWORD: own.cluster.password.reveal(),
        ...variables,
      },
      '--delayed-restart',
    );
  /** The finding about this node, and the exit code. */
  const findingOf = async (check: string, port: number): Promise<string> => {
    const { status, lines } = await asOperator();
    const found = lines.find(
      (line) => line.includes(`: ${check}: `) && line.includes(`127.0.0.1:${port}`),
    );
    return `${status} ${found}`;
  };
  /** Changes the setting of the node, runs the check, and restores the setting. */
  const whileSet = async (
    port: number,
    setting: readonly [string, string],
    look: () => Promise<void>,
  ): Promise<void> => {
    const [name, value] = setting;
    const before = (await own.cluster.call(port, 'CONFIG', 'GET', name)).split(',')[1]!;
    await own.cluster.call(port, 'CONFIG', 'SET', name, value);
    try {
      await look();
    } finally {
      await own.cluster.call(port, 'CONFIG', 'SET', name, before);
    }
  };

  it('reaches a node at its address in REDIS_NAT_MAP', async () => {
    // Nobody connects to a replica, so it may announce an unreachable port.
    const replica = (await nodesSeenBy(ports()[0]!)).find(({ isReplica }) => isReplica)!.port;
    const announced = '127.0.0.1:1';
    const isAnnounced = async (): Promise<boolean> =>
      (await nodesSeenBy(ports()[0]!)).some(({ ip, port }) => `${ip}:${port}` === announced);
    await whileSet(replica, ['cluster-announce-port', '1'], async () => {
      await eventually('the replica announces another port', 10_000, isAnnounced);

      const unmapped = await asOperator();
      const mapped = await asOperator({ REDIS_NAT_MAP: `${announced}=127.0.0.1:${replica}` });

      const connection = (line: string): boolean =>
        /: connection: .*127\.0\.0\.1:1[,\]]/.test(line);
      expect(unmapped.lines.filter(connection)).toEqual([expect.stringMatching(/^failed: /)]);
      expect(mapped.lines.filter(connection)).toEqual([expect.stringMatching(/^ok: /)]);
    });
    await eventually(
      'the replica announces its own port',
      10_000,
      async () => !(await isAnnounced()),
    );
  });

  it('reports no problem for nodes with the documented configuration, and checks each of them', async () => {
    const { status, lines, errors } = await asOperator();

    expect(errors).toBe('');
    expect(lines.filter((line) => !KNOWN.test(line))).toEqual([]);
    expect(status).toBe(lines.some((line) => line.startsWith('warning')) ? 1 : 0);
    expect(lines).toContain(
      `ok: user default: off, with all permissions [${lines
        .find((line) => line.startsWith('ok: user default'))!
        .replace(/^.*\[|\]$/g, '')}]`,
    );
    const looked = lines.find((line) => line.startsWith('ok: connection'))!;
    expect(ports().filter((port) => !looked.includes(`127.0.0.1:${port}`))).toEqual([]);
    expect(lines.join()).not.toContain(own.cluster.password.reveal());
  });

  it('warns about the version of a node if and only if it lacks the Lua security fixes (100)', async () => {
    const { lines } = await asOperator();
    const info = await own.cluster.call(ports()[0]!, 'INFO', 'server');
    const version = /redis_version:(\S+)/.exec(info)![1]!;

    const finding = lines.filter((line) => line.includes(': version: '));
    const expected = lacksLuaFixes(version)
      ? `warning: version: ${version} lacks fixes for Lua [`
      : `ok: version: ${version} [`;
    expect(finding).toEqual([expect.stringContaining(expected)]);
  });

  it.each([
    ['no rights', ['reset'], '2 failed: user default: lacks permissions'],
    ['fewer keys', ['reset', '+@all', '~a*', '&*'], '2 failed: user default: lacks permissions'],
    [
      'a missing command',
      ['reset', '+@all', '-debug', '~*', '&*'],
      '2 failed: user default: lacks permissions',
    ],
    [
      'no password',
      ['reset', 'on', 'nopass', '+@all', '~*', '&*'],
      '2 failed: user default: on with',
    ],
    ['a password', ['reset', 'on', '>x', '+@all', '~*', '&*'], '1 warning: user default: on with'],
  ])('reports a user "default" with %s, and the remedy', async (_, rules, expected) => {
    const [, port] = ports();
    await own.cluster.call(port!, 'ACL', 'SETUSER', 'default', ...rules);

    const found = await findingOf('user default', port!);
    await own.cluster.call(port!, 'ACL', 'SETUSER', 'default', ...DEFAULT_USER_RULES);

    expect(found).toContain(expected);
    expect(found).toContain(`ACL SETUSER default ${DEFAULT_USER_RULES.join(' ')}`);
    expect(await findingOf('user default', port!)).toContain('ok: user default');
  });

  it.each([
    ['appendonly', 'no', '2 failed'],
    ['appendfsync', 'no', '2 failed'],
    ['maxmemory-policy', 'allkeys-lru', '2 failed'],
    ['cluster-allow-reads-when-down', 'yes', '2 failed'],
    ['cluster-replica-validity-factor', '0', '2 failed'],
    ['cluster-require-full-coverage', 'yes', '1 warning'],
    ['cluster-allow-replica-migration', 'no', '1 warning'],
    ['min-replicas-to-write', '1', '1 warning'],
    ['cluster-node-timeout', '15000', '1 warning'],
  ])('reports a node with %s %s', async (name, value, expected) => {
    const [, , port] = ports();
    await whileSet(port!, [name, value], async () => {
      const found = await findingOf(name, port!);
      expect(found).toContain(`${expected}: ${name}: ${value}`);
    });
    if (name === 'appendonly') {
      await eventually('the append-only file is there again', 20_000, async () =>
        (await own.cluster.call(port!, 'INFO', 'persistence')).includes(
          'aof_rewrite_in_progress:0',
        ),
      );
    }
  });

  it('recommends delayed restarts if the file is synced once a second, unless --delayed-restart is given', async () => {
    const variables = {
      REDIS_NODES: `127.0.0.1:${ports()[0]}`,
      REDIS_ADMIN_PASSWORD: own.cluster.password.reveal(),
    };
    const { status, lines } = await run(variables);
    expect(status).toBe(1);
    expect(lines.join('\n')).toMatch(/^warning: appendfsync: everysec.*--delayed-restart/m);
  });

  it('reports what the user may not read, and the missing permission', async () => {
    const { status, lines } = await run(own.variables);

    expect(status).toBe(1);
    expect(lines.join('\n')).toMatch(/^not allowed to look: user default: needs ACL GETUSER \[/m);
    expect(lines.join('\n')).toMatch(/^not allowed to look: appendonly: needs CONFIG GET \[/m);
    expect(lines.join('\n')).toMatch(/^ok: replicas: /m);
    expect(lines.filter((line) => line.startsWith('failed'))).toEqual([]);
  });

  it('reports a shard with one copy and a missing node, and fails if a replica is required', async () => {
    const [master] = await own.masters();
    const replica = await own.replicaOf(master!);
    own.signal(replica, 'SIGKILL');
    await eventually('the cluster misses it', 20_000, async () =>
      (await nodesSeenBy(master!)).some(({ port, isFailed }) => port === replica && isFailed),
    );

    const nodes = { REDIS_NODES: `127.0.0.1:${master}` };
    for (const [variables, level] of [
      [nodes, 'warning'],
      [{ ...nodes, REDIS_REQUIRE_REPLICA: 'true' }, 'failed'],
    ] as const) {
      const { status, lines } = await asOperator(variables);

      expect(status).toBe(2);
      const found = lines.filter((line) => !KNOWN.test(line));
      expect(found).toHaveLength(3);
      expect(found).toEqual(
        expect.arrayContaining([
          expect.stringContaining(`${level}: replicas: one copy: 127.0.0.1:${master}. Start`),
          expect.stringContaining(
            `${level}: replication: one copy: a master without a connected replica [127.0.0.1:${master}]`,
          ),
          expect.stringMatching(new RegExp(`^failed: connection: .*127.0.0.1:${replica}`)),
        ]),
      );
    }
  });

  it('exits with 2 and a message if no check is possible', async () => {
    expect(await run({})).toMatchObject({
      status: 2,
      lines: [],
      errors: expect.stringContaining('REDIS_NODES is required'),
    });
    const nodes = { REDIS_NODES: '127.0.0.1:1' };
    expect(await run(nodes, '--user', 'admin')).toMatchObject({
      status: 2,
      errors: expect.stringContaining('REDIS_ADMIN_PASSWORD'),
    });
    const { status, lines } = await run(nodes);
    expect(status).toBe(2);
    expect(lines).toEqual([expect.stringMatching(/^failed: connection: .*\[127\.0\.0\.1:1\]/)]);
  });

  it('accepts the settings of the operations page', () => {
    const page = readFileSync('docs/operations/requirements.md', 'utf8');
    const block = /```conf\ncluster-enabled yes[^]*?```/.exec(page)![0];

    expect(
      EXPECTED_SETTINGS.filter(([name, value]) => !block.includes(`\n${name} ${value}\n`)),
    ).toEqual([]);
    expect(block).not.toContain('min-replicas');
  });
});
