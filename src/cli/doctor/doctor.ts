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

Checks every node of REDIS_NODES for what Keyslot's promises rest on: the user "default", persistence, eviction, settings
of the cluster, replicas, version, clocks. It changes nothing. One line for each finding: ok, warning, failed, or
"not allowed to look" with the command that the user needs.

  --user <name>      Log in as this operator's user instead of REDIS_USERNAME, with the password in REDIS_ADMIN_PASSWORD
                     or the file REDIS_ADMIN_PASSWORD_FILE. Default: REDIS_ADMIN_USERNAME, or "admin" when one of the
                     two is set.
  --delayed-restart  Nodes are restarted only after their replica has taken over: appendfsync everysec is enough then.

Exit code: 0 all is well; 1 warnings, or something it was not allowed to see; 2 something failed, or wrong usage.
`;

/** Checks the nodes of the cluster, and tells what to do. */
export async function runDoctor(given: {
  readonly user?: string | undefined;
  readonly restartsAreDelayed: boolean;
}): Promise<void> {
  try {
    const findings = await diagnose(optionsFrom(loadOperatorSettings(), given.user), given);
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
    throw new SettingsError(['REDIS_NODES is needed: nodes of the cluster']);
  }
  const operator = user ?? administrator.username ?? (administrator.password && 'admin');
  if (operator === undefined) {
    return { ...redis, nodes };
  }
  if (!administrator.password) {
    throw new SettingsError(['REDIS_ADMIN_PASSWORD or REDIS_ADMIN_PASSWORD_FILE is needed']);
  }
  return { ...redis, nodes, username: operator, password: administrator.password };
}

async function diagnose(options: RedisClusterOptions, checks: CheckOptions): Promise<Located[]> {
  const findings: Located[] = [];
  const members = await membersOf(options, findings);
  if (members === undefined) {
    return findings;
  }
  findings.push(...checkMembers(members, options.confirmingReplicas ?? 1));
  const clocks = new Map<string, number>();
  await Promise.all(
    members.map(async (member) => {
      const node = `${member.host}:${member.port}`;
      await withNode(options, reachableAddress(member, options), findings, async (inspector) => {
        const found = await checkNode(inspector, checks);
        findings.push({ check: 'connection', level: 'ok', text: 'let in', node });
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

/** The announced address, or the one that REDIS_NAT_MAP gives in its place. */
function reachableAddress(
  { host, ip, port }: ClusterNode,
  { natMap }: RedisClusterOptions,
): RedisNodeAddress {
  return natMap?.[`${host}:${port}`] ?? natMap?.[`${ip}:${port}`] ?? { host, port };
}

/** As the first of the given nodes that answers sees them. */
async function membersOf(
  options: RedisClusterOptions,
  findings: Located[],
): Promise<ClusterNode[] | undefined> {
  for (const address of options.nodes) {
    let members: ClusterNode[] | undefined;
    const troubles: Located[] = [];
    await withNode(options, address, troubles, async (inspector) => {
      const answer = await inspector.ask('CLUSTER', 'NODES');
      if (answer.kind === 'reply') {
        members = parseClusterNodes(String(answer.reply)).filter(({ isKnown }) => isKnown);
      } else {
        const level = answer.kind === 'failed' ? 'failed' : 'not allowed to look';
        const text = answer.kind === 'failed' ? answer.reason : 'needs CLUSTER NODES';
        troubles.push({ check: 'cluster', level, text, node: inspector.address });
      }
    });
    if (members) {
      return members;
    }
    findings.push(...troubles);
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
      remedy: 'Start the node, or check its users, its TLS and the settings REDIS_*',
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

/** @returns by how much the node's clock is ahead of this machine's, in milliseconds */
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
