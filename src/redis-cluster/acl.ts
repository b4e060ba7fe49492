import { createHash } from 'node:crypto';

import type { Secret } from '../common/secret/index.js';

/**
 * The commands that the client sends. AUTH, HELLO and QUIT need no permission. Redis classifies INFO as dangerous, so it is
 * not used: see `enableReadyCheck` in cluster-client.ts.
 */
export const CLIENT_COMMANDS = [
  // Run scripts, wait until the replicas have confirmed their writes, and learn which replicas there are.
  'eval',
  'evalsha',
  'wait',
  // The channels of the near cache, and the health check of their connection.
  'ping',
  'spublish',
  'ssubscribe',
  // The slot map, also while slots migrate, and the health of the cluster.
  'asking',
  'cluster|info',
  'cluster|nodes',
  'cluster|slots',
  // The clock that the instances follow.
  'time',
  // ioredis itself sends these, on connections to replicas and on the one that reads the slot map.
  'client|setname',
  'readonly',
  'readwrite',
] as const;

/** The commands that the scripts call. Redis checks the permission of the user for each of them. */
export const SCRIPT_COMMANDS = [
  'del',
  'exists',
  'get',
  'hdel',
  'hget',
  'hgetall',
  'hlen',
  'hmget',
  'hset',
  'persist',
  'pexpire',
  'pttl',
  'set',
  'spublish',
  'time',
  'zadd',
  'zcard',
  'zrange',
  'zrangebyscore',
  'zrem',
  'zremrangebyscore',
  'zscore',
] as const;

/** The commands that the scripts of the guard call, see `GUARD_RULES`. */
export const GUARD_SCRIPT_COMMANDS = SCRIPT_COMMANDS.filter(
  (command) => !['del', 'get', 'persist', 'zrange', 'zscore'].includes(command),
);

/**
 * The keys that a service with the guard may use. It may read users without their password hashes, sessions, keys and roles.
 * It may write what makes it a member of the near cache, the uses of sessions, and fences, which no script reads.
 */
const GUARD_KEYS: readonly (readonly ['%R~' | '~', string])[] = [
  ['%R~', '{user.*}:record'],
  ['%R~', '{user.*}:sessions'],
  ['%R~', '{keys.signing}:set'],
  ['%R~', '{roles.all}:set'],
  ['%R~', '{service-accounts.all}:accounts'],
  ['%R~', '{service-accounts.all}:deleted:*'],
  ['~', '{user.*}:uses'],
  ['~', '{user.*}:holders'],
  ['~', '{keys.signing}:holders'],
  ['~', '{roles.all}:holders'],
  ['~', '{service-accounts.all}:holders:*'],
  ['~', '{*}:fence'],
  ['~', '{inbox.*}:*'],
  ['~', '{retired.*}:mark'],
  ['~', '{instances.registry}:*'],
];
const GUARD_CHANNELS = '{inbox.*}:*';
/**
 * Redis requires the right to read and write every key that EVAL declares, so the right to declare keys is apart: it allows
 * nothing but EVAL. For each command of a script, the other rules count.
 */
const SCRIPT_RUNNERS = ['eval', 'evalsha'];

/**
 * The user of connections that have not authenticated. It is off, so nobody can authenticate as it. It keeps all permissions:
 * when a server loads its append-only file, it checks each transaction (every script that wrote twice is one) against the
 * permissions of `default`, and discards transactions that `default` may not run (redis#14545).
 */
export const DEFAULT_USER_RULES = ['off', 'resetpass', '~*', '&*', '+@all'] as const;

/** The users in an ACL file: one for the operator, and one with which a replica connects to its master. */
export const REDIS_ADMINISTRATOR = 'admin';
export const REDIS_REPLICA = 'replica';
const ADMINISTRATOR_RULES = ['~*', '&*', '+@all'];
const REPLICA_RULES = ['+psync', '+replconf', '+ping'];

/** Replaces the digest of a password that is not known here. Redis rejects it. */
export const DIGEST_PLACEHOLDER = 'sha256-of-the-password';

export interface AclUser {
  readonly username: string;
  /** `guard`: a service that only checks tokens. It cannot create a session, change a user or read a hash. Default: an instance. */
  readonly kind?: 'instance' | 'guard';
  /** Only its SHA-256 digest is printed, which is what Redis stores. Absent: a placeholder is printed. */
  readonly password?: Secret;
  readonly keyPrefix: string;
}

/** The Redis user with the minimum permissions that an instance or a service needs, as a command for redis-cli. */
export function aclSetUser(user: AclUser): string {
  // `reset` first, so that permissions from an older list disappear.
  return ['ACL', 'SETUSER', user.username, 'reset', ...rulesFor(user)].map(quoted).join(' ');
}

/** The same user, as a line of an ACL file (`aclfile`). */
export function aclFileLine(user: AclUser): string {
  return ['user', user.username, ...rulesFor(user)].join(' ');
}

export interface NodeUsers {
  readonly application: AclUser;
  /** Absent: a placeholder is printed. */
  readonly administratorPassword?: Secret;
  readonly replicaPassword?: Secret;
}

/** All lines of the ACL file (`aclfile`) of a node: the single source for docker/, the documentation and the tests. */
export function aclFileLines(users: NodeUsers): string[] {
  const line = (name: string, rules: readonly string[]): string =>
    ['user', name, ...rules].join(' ');
  return [
    line('default', DEFAULT_USER_RULES),
    line(REDIS_ADMINISTRATOR, [
      'on',
      digestOf(users.administratorPassword),
      ...ADMINISTRATOR_RULES,
    ]),
    line(REDIS_REPLICA, ['on', digestOf(users.replicaPassword), ...REPLICA_RULES]),
    aclFileLine(users.application),
  ];
}

function digestOf(password: Secret | undefined): string {
  const digest = password
    ? createHash('sha256').update(password.reveal()).digest('hex')
    : DIGEST_PLACEHOLDER;
  return `#${digest}`;
}

function rulesFor({ password, keyPrefix, kind = 'instance' }: AclUser): string[] {
  const prefix = keyPrefix.replace(/[\\*?[\]]/g, '\\$&');
  return [
    'on',
    digestOf(password),
    ...(kind === 'guard' ? guardRules(prefix) : instanceRules(prefix)),
  ];
}

function instanceRules(prefix: string): string[] {
  return [
    'resetkeys',
    `~${prefix}*`,
    'resetchannels',
    `&${prefix}*`,
    ...allowed([...CLIENT_COMMANDS, ...SCRIPT_COMMANDS]),
  ];
}

function guardRules(prefix: string): string[] {
  const commands = [...CLIENT_COMMANDS, ...GUARD_SCRIPT_COMMANDS];
  return [
    'resetkeys',
    ...GUARD_KEYS.map(([right, key]) => `${right}${prefix}v1:${key}`),
    'resetchannels',
    `&${prefix}v1:${GUARD_CHANNELS}`,
    ...allowed(commands.filter((command) => !SCRIPT_RUNNERS.includes(command))),
    `(~${prefix}*`,
    `${allowed(SCRIPT_RUNNERS).join(' ')})`,
  ];
}

function allowed(commands: readonly string[]): string[] {
  return ['-@all', ...[...new Set(commands)].sort().map((command) => `+${command}`)];
}

/** Quotes an argument for redis-cli. */
function quoted(argument: string): string {
  return /["']/.test(argument) ? `"${argument.replace(/["\\]/g, '\\$&')}"` : argument;
}
