import { loadOperatorSettings, SettingsError, type OperatorSettings } from '../../config/index.js';
import {
  NodeInspector,
  parseClusterNodes,
  type ClusterNode,
  type RedisClusterOptions,
  type RedisNodeAddress,
} from '../../redis-cluster/index.js';
import { checkClock, checkMembers } from './cluster-checks.js';
import { exitCodeOf, report, type Finding } from './finding.js';
import { checkNode, type CheckOptions } from './node-checks.js';

type Located = Finding & { readonly node?: string };

export const DOCTOR_USAGE = `Usage: node dist/cli.js doctor [--user <name>] [--delayed-restart]

Checks every node of the cluster for the requirements of Keyslot: the user "default", persistence, eviction policy, cluster
settings, replicas, version and clocks. It changes nothing. It prints one line per finding: ok, warning, failed, or "not
allowed to look" with the command that the Redis user may not run.

  --user <name>      Log in as this Redis user instead of REDIS_USERNAME, with the password in REDIS_ADMIN_PASSWORD
                     or in the file REDIS_ADMIN_PASSWORD_FILE. Default: REDIS_ADMIN_USERNAME, or "admin" when one of
                     the passwords is set.
  --delayed-restart  Nodes are restarted only after their replica has taken over. Then appendfsync everysec is sufficient.

Exit code: 0 all checks are ok; 1 warnings, or checks that were not allowed; 2 a check failed, or wrong usage.
`;

/** Checks the nodes of the cluster, and prints findings with remedies. */
export async function runDoctor(given: {
  readonly user?: string | undefined;
  readonly restartsAreDelayed: boolean;
}): Promise<void> {
  try {
    const settings = loadOperatorSettings();
    const { requireReplica } = settings.redis;
    const findings = await diagnose(optionsFrom(settings, given.user), {
      ...given,
      requireReplica,
    });
    process.stdout.write(report(findings));
    process.exitCode = exitCodeOf(findings);
  } catch (error) {
    if (!(error instanceof SettingsError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

function optionsFrom(
  { redis, administrator }: OperatorSettings,
  user: string | undefined,
): RedisClusterOptions {
  const { nodes } = redis;
  if (!nodes) {
    throw new SettingsError(['REDIS_NODES is required: addresses of nodes of the cluster']);
  }
  const operator = user ?? administrator.username ?? (administrator.password && 'admin');
  if (operator === undefined) {
    return { ...redis, nodes };
  }
  if (!administrator.password) {
    throw new SettingsError(['REDIS_ADMIN_PASSWORD or REDIS_ADMIN_PASSWORD_FILE is required']);
  }
  return { ...redis, nodes, username: operator, password: administrator.password };
}

async function diagnose(options: RedisClusterOptions, checks: CheckOptions): Promise<Located[]> {
  const findings: Located[] = [];
  const members = await membersOf(options, findings);
  if (members === undefined) {
    return findings;
  }
  findings.push(...checkMembers(members, checks.requireReplica));
  const clocks = new Map<string, number>();
  await Promise.all(
    members.map(async (member) => {
      const node = `${member.host}:${member.port}`;
      await withNode(options, reachableAddress(member, options), findings, async (inspector) => {
        const found = await checkNode(inspector, checks);
        findings.push({ check: 'connection', level: 'ok', text: 'logged in', node });
        findings.push(...found.map((finding) => ({ ...finding, node })));
        const offset = await clockOf(inspector);
        if (offset !== undefined) {
          clocks.set(node, offset);
        }
      });
    }),
  );
  findings.push(...compareClocks(clocks));
  return findings;
}

/** The announced address, or its replacement in REDIS_NAT_MAP. */
function reachableAddress(
  { host, ip, port }: ClusterNode,
  { natMap }: RedisClusterOptions,
): RedisNodeAddress {
  return natMap?.[`${host}:${port}`] ?? natMap?.[`${ip}:${port}`] ?? { host, port };
}

/** Returns the members of the cluster, as seen by the first configured node that replies. */
async function membersOf(
  options: RedisClusterOptions,
  findings: Located[],
): Promise<ClusterNode[] | undefined> {
  for (const address of options.nodes) {
    let members: ClusterNode[] | undefined;
    const failures: Located[] = [];
    await withNode(options, address, failures, async (inspector) => {
      const answer = await inspector.ask('CLUSTER', 'NODES');
      if (answer.kind === 'reply') {
        members = parseClusterNodes(String(answer.reply)).filter(({ isKnown }) => isKnown);
      } else {
        const level = answer.kind === 'failed' ? 'failed' : 'not allowed to look';
        const text = answer.kind === 'failed' ? answer.reason : 'needs CLUSTER NODES';
        failures.push({ check: 'cluster', level, text, node: inspector.address });
      }
    });
    if (members) {
      return members;
    }
    findings.push(...failures);
  }
  return undefined;
}

async function withNode(
  options: RedisClusterOptions,
  address: RedisNodeAddress,
  findings: Located[],
  work: (inspector: NodeInspector) => Promise<void>,
): Promise<void> {
  let inspector: NodeInspector;
  try {
    inspector = await NodeInspector.connect(options, address);
  } catch (error) {
    findings.push({
      check: 'connection',
      level: 'failed',
      text: (error as Error).message,
      remedy: 'Start the node, or check its users, its TLS configuration and the settings REDIS_*',
      node: `${address.host}:${address.port}`,
    });
    return;
  }
  try {
    await work(inspector);
  } finally {
    inspector.close();
  }
}

/** @returns how far the clock of the node is ahead of the clock of this machine, in milliseconds */
async function clockOf(inspector: NodeInspector): Promise<number | undefined> {
  const before = Date.now();
  const answer = await inspector.ask('TIME');
  if (answer.kind !== 'reply') {
    return undefined;
  }
  const [seconds = 0, microseconds = 0] = (answer.reply as string[]).map(Number);
  return seconds * 1000 + microseconds / 1000 - (before + Date.now()) / 2;
}

function compareClocks(clocks: ReadonlyMap<string, number>): Located[] {
  const sorted = [...clocks.values()].sort((one, other) => one - other);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return [...clocks].map(([node, offset]) => ({ ...checkClock(offset - median), node }));
}
