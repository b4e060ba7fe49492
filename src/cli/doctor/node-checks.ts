import { DEFAULT_USER_RULES, type NodeAnswer } from '../../redis-cluster/index.js';
import type { Finding, Level } from './finding.js';
import { lacksLuaFixes } from './redis-version.js';

/** Answers one command on one node. */
export interface Node {
  ask(command: string, ...args: string[]): Promise<NodeAnswer>;
}

export interface CheckOptions {
  /** Whatever restarts nodes waits for the failover, so a node never leads again from an older file. */
  readonly restartsAreDelayed: boolean;
}

type Reading = { readonly text: string; readonly level: Level; readonly remedy?: string };

/** The settings that docs/operations/requirements.md asks for, and what a different value costs. */
export const EXPECTED_SETTINGS: readonly (readonly [
  name: string,
  value: string,
  levelOfOthers: Level,
])[] = [
  ['appendonly', 'yes', 'failed'],
  ['maxmemory-policy', 'noeviction', 'failed'],
  ['cluster-allow-reads-when-down', 'no', 'failed'],
  ['cluster-require-full-coverage', 'no', 'warning'],
  ['cluster-allow-replica-migration', 'no', 'warning'],
];
/** Longer, and a failover takes longer than clients and balancers are told. */
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
        ? { level: 'failed', text: found, remedy: 'Set it to 10: with 0 a stale replica may lead' }
        : { level: 'ok', text: found },
    ),
    await checkSetting(node, 'maxmemory', (found) =>
      found === '0'
        ? { level: 'warning', text: 'no limit', remedy: 'Set it to 60 % of what the node may use' }
        : { level: 'ok', text: 'set' },
    ),
    await checkPersistence(node),
    await checkReplication(node),
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
  // "+@all -debug" is no longer everything: a transaction with that command would be lost.
  const hasAllRights =
    commands === '+@all' &&
    String(keys).split(/[ ,]/).includes('~*') &&
    String(channels).split(/[ ,]/).includes('&*');
  if (!hasAllRights) {
    return {
      level: 'failed',
      text: 'without all rights: when the node restarts it discards acknowledged transactions',
      remedy: `${remedy}; before any restart`,
    };
  }
  if (!flagList.includes('on')) {
    return { level: 'ok', text: 'off, with all rights' };
  }
  if (flagList.includes('nopass') || (passwords as unknown[]).length === 0) {
    return { level: 'failed', text: 'on without a password: everybody may do everything', remedy };
  }
  return { level: 'warning', text: 'on with a password and all rights', remedy };
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
            text: `${found}: a master that restarts before its replica leads may lack the last writes`,
            remedy:
              'Restart nodes later than the failover (and say so with --delayed-restart), or set appendfsync to always',
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
      : { level: 'failed', text: `${failing.join(', ')} not ok`, remedy: 'Look for a full disk' };
  });
}

async function checkReplication(node: Node): Promise<Finding> {
  return check(node, 'replication', ['INFO', 'replication'], (reply) => {
    const text = String(reply);
    if (text.includes('role:master')) {
      return /slave\d+:.*state=online/.test(text)
        ? { level: 'ok', text: 'in step' }
        : { level: 'failed', text: 'a master that no replica follows', remedy: REPLICA_REMEDY };
    }
    return text.includes('master_link_status:up')
      ? { level: 'ok', text: 'in step' }
      : { level: 'failed', text: 'a replica without its master', remedy: REPLICA_REMEDY };
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
            'Upgrade, unless your distribution has mended it (CVE-2024-46981, CVE-2025-49844)',
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
      ? { level: 'warning', text: 'this server does not know it' }
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

/** A reply of names, each followed by its value. */
function fieldsOf(reply: unknown): Record<string, unknown> {
  const list = reply as unknown[];
  return Object.fromEntries(
    list.flatMap((name, index) => (index % 2 === 0 ? [[String(name), list[index + 1]]] : [])),
  );
}
