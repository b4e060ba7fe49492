import { DEFAULT_USER_RULES, type NodeAnswer } from '../../redis-cluster/index.js';
import type { Finding, Level } from './finding.js';
import { lacksLuaFixes } from './redis-version.js';

/** Runs commands on one node. */
export interface Node {
  ask(command: string, ...args: string[]): Promise<NodeAnswer>;
}

export interface CheckOptions {
  /** Whether nodes are restarted only after the failover, so that a node never becomes master again with old data. */
  readonly restartsAreDelayed: boolean;
  /** Whether each write needs the confirmation of a replica (REDIS_REQUIRE_REPLICA). */
  readonly requireReplica: boolean;
}

type Reading = { readonly text: string; readonly level: Level; readonly remedy?: string };

/** The settings that docs/operations/requirements.md requires, and the level of the finding for any other value. */
export const EXPECTED_SETTINGS: readonly (readonly [
  name: string,
  value: string,
  levelOfOthers: Level,
])[] = [
  ['appendonly', 'yes', 'failed'],
  ['maxmemory-policy', 'noeviction', 'failed'],
  ['cluster-allow-reads-when-down', 'no', 'failed'],
  ['cluster-require-full-coverage', 'no', 'warning'],
  ['cluster-allow-replica-migration', 'yes', 'warning'],
];
/** With a longer timeout, a failover takes longer than the documentation says. */
const MAX_NODE_TIMEOUT_MS = 5000;

export async function checkNode(node: Node, options: CheckOptions): Promise<Finding[]> {
  return [
    await checkDefaultUser(node),
    ...(await Promise.all(
      EXPECTED_SETTINGS.map(async ([name, value, level]) =>
        checkSetting(node, name, (found) =>
          found === value
            ? { level: 'ok', text: found }
            : { level, text: found, remedy: `Set ${name} to ${value}` },
        ),
      ),
    )),
    await checkSetting(node, 'appendfsync', (found) => readFsync(found, options)),
    await checkSetting(node, 'cluster-node-timeout', readNodeTimeout),
    await checkSetting(node, 'cluster-replica-validity-factor', (found) =>
      found === '0'
        ? {
            level: 'failed',
            text: found,
            remedy: 'Set it to 10. With 0, a stale replica can become master',
          }
        : { level: 'ok', text: found },
    ),
    await checkSetting(node, 'min-replicas-to-write', (found) =>
      found === '0'
        ? { level: 'ok', text: found }
        : {
            level: 'warning',
            text: found,
            remedy:
              'Set it to 0. Otherwise the node refuses writes that Keyslot could confirm. The WAIT of Keyslot replaces this setting',
          },
    ),
    await checkSetting(node, 'maxmemory', (found) =>
      found === '0'
        ? { level: 'warning', text: 'no limit', remedy: 'Set it to 60 % of the memory of the node' }
        : { level: 'ok', text: 'set' },
    ),
    await checkPersistence(node),
    await checkReplication(node, options),
    await checkVersion(node),
  ];
}

async function checkDefaultUser(node: Node): Promise<Finding> {
  return check(node, 'user default', ['ACL', 'GETUSER', 'default'], readDefaultUser);
}

function readDefaultUser(reply: unknown): Reading {
  const { flags, passwords, commands, keys, channels } = fieldsOf(reply);
  const remedy = `On this node: ACL SETUSER default ${DEFAULT_USER_RULES.join(' ')}, then ACL SAVE or CONFIG REWRITE`;
  const flagList = (flags ?? []) as string[];
  // "+@all -debug" is not sufficient: on restart, a transaction with DEBUG would be discarded.
  const hasAllRights =
    commands === '+@all' &&
    String(keys).split(/[ ,]/).includes('~*') &&
    String(channels).split(/[ ,]/).includes('&*');
  if (!hasAllRights) {
    return {
      level: 'failed',
      text: 'lacks permissions, so the node discards acknowledged transactions when it restarts',
      remedy: `${remedy}, before the node restarts`,
    };
  }
  if (!flagList.includes('on')) {
    return { level: 'ok', text: 'off, with all permissions' };
  }
  if (flagList.includes('nopass') || (passwords as unknown[]).length === 0) {
    return { level: 'failed', text: 'on without a password, so anybody has full access', remedy };
  }
  return { level: 'warning', text: 'on with a password and all permissions', remedy };
}

function readFsync(found: string, { restartsAreDelayed }: CheckOptions): Reading {
  switch (found) {
    case 'always':
      return { level: 'ok', text: found };
    case 'everysec':
      return restartsAreDelayed
        ? { level: 'ok', text: `${found}, nodes are restarted after the failover` }
        : {
            level: 'warning',
            text: `${found}: a master that restarts before the failover can lose its last writes`,
            remedy:
              'Restart nodes only after the failover and pass --delayed-restart, or set appendfsync to always',
          };
    default:
      return { level: 'failed', text: found, remedy: 'Set appendfsync to everysec or always' };
  }
}

function readNodeTimeout(found: string): Reading {
  return Number(found) <= MAX_NODE_TIMEOUT_MS
    ? { level: 'ok', text: `${found} ms` }
    : { level: 'warning', text: `${found} ms`, remedy: 'Set cluster-node-timeout to 2000' };
}

async function checkPersistence(node: Node): Promise<Finding> {
  return check(node, 'append-only file', ['INFO', 'persistence'], (reply) => {
    const text = String(reply);
    const failing = ['aof_last_write_status', 'aof_last_bgrewrite_status'].filter(
      (name) => !text.includes(`${name}:ok`),
    );
    return failing.length === 0
      ? { level: 'ok', text: 'written' }
      : {
          level: 'failed',
          text: `${failing.join(', ')} not ok`,
          remedy: 'Check whether the disk is full',
        };
  });
}

async function checkReplication(node: Node, { requireReplica }: CheckOptions): Promise<Finding> {
  return check(node, 'replication', ['INFO', 'replication'], (reply) => {
    const text = String(reply);
    if (text.includes('role:master')) {
      return /slave\d+:.*state=online/.test(text)
        ? { level: 'ok', text: 'in step' }
        : {
            level: requireReplica ? 'failed' : 'warning',
            text: 'one copy: a master without a connected replica',
            remedy: REPLICA_REMEDY,
          };
    }
    return text.includes('master_link_status:up')
      ? { level: 'ok', text: 'in step' }
      : {
          level: 'failed',
          text: 'a replica that is not connected to its master, so writes are not confirmed there',
          remedy: REPLICA_REMEDY,
        };
  });
}

const REPLICA_REMEDY =
  'Start the other node, and check masteruser, masterauth and the log of Redis';

async function checkVersion(node: Node): Promise<Finding> {
  return check(node, 'version', ['HELLO'], (reply) => {
    const version = String(fieldsOf(reply)['version']);
    return lacksLuaFixes(version)
      ? {
          level: 'warning',
          text: `${version} lacks fixes for Lua`,
          remedy:
            'Upgrade, unless your distribution has backported the fixes (CVE-2024-46981, CVE-2025-49844)',
        }
      : { level: 'ok', text: version };
  });
}

async function checkSetting(
  node: Node,
  name: string,
  read: (value: string) => Reading,
): Promise<Finding> {
  return check(node, name, ['CONFIG', 'GET', name], (reply) => {
    const value = fieldsOf(reply)[name];
    return typeof value !== 'string'
      ? { level: 'warning', text: 'unknown to this server' }
      : read(value);
  });
}

async function check(
  node: Node,
  name: string,
  [command, ...args]: readonly [string, ...string[]],
  read: (reply: unknown) => Reading,
): Promise<Finding> {
  const answer = await node.ask(command, ...args);
  switch (answer.kind) {
    case 'reply':
      return { check: name, ...read(answer.reply) };
    case 'not-allowed':
      return {
        check: name,
        level: 'not allowed to look',
        text: `needs ${['ACL', 'CONFIG'].includes(command) ? `${command} ${args[0]}` : command}`,
      };
    case 'failed':
      return { check: name, level: 'failed', text: answer.reason };
  }
}

/** Converts a flat reply of alternating names and values. */
function fieldsOf(reply: unknown): Record<string, unknown> {
  const list = reply as unknown[];
  return Object.fromEntries(
    list.flatMap((name, index) => (index % 2 === 0 ? [[String(name), list[index + 1]]] : [])),
  );
}
