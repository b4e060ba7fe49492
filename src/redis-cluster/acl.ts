import { createHash } from 'node:crypto';

import type { Secret } from '../common/secret/index.js';

/**
 * What the client sends. AUTH, HELLO and QUIT need no right: Redis allows them to everybody. INFO is a dangerous command
 * to Redis, so we do without it: see `enableReadyCheck` in cluster-client.ts.
 */
export const CLIENT_COMMANDS = [
  // Scripts, and the proof that their writes have reached the replicas.
  'eval',
  'evalsha',
  'wait',
  // The channels of the near cache, and whether a connection to one still lives.
  'ping',
  'spublish',
  'ssubscribe',
  // Which node serves a key, also while slots move; whether the cluster is whole.
  'asking',
  'cluster|info',
  'cluster|nodes',
  'cluster|slots',
  // Whose clock the instances follow.
  'time',
  // What ioredis sends of its own accord, on the connections to replicas and on the one that asks for the slots.
  'client|setname',
  'readonly',
  'readwrite',
] as const;

/** What the scripts call: Redis asks for their user's right to each of them. */
export const SCRIPT_COMMANDS = [
  'del',
  'exists',
  'get',
  'hdel',
  'hget',
  'hgetall',
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
  'zcount',
  'zrange',
  'zrangebyscore',
  'zrem',
  'zremrangebyscore',
  'zscore',
] as const;

/** What stands for the digest of a password that is not known here. Redis refuses it. */
export const DIGEST_PLACEHOLDER = 'sha256-of-the-password';

export interface AclUser {
  readonly username: string;
  /** Only its SHA-256 is told, as Redis itself keeps it. Absent: a placeholder is. */
  readonly password?: Secret;
  readonly keyPrefix: string;
}

/** The Redis user with the least rights under which the application works, as a command for redis-cli. */
export function aclSetUser(user: AclUser): string {
  // At once and from nothing: what an older list allowed is gone.
  return ['ACL', 'SETUSER', user.username, 'reset', ...rulesFor(user)].map(quoted).join(' ');
}

/** The same user, as a line of a file of users (`aclfile`). */
export function aclFileLine(user: AclUser): string {
  return ['user', user.username, ...rulesFor(user)].join(' ');
}

function rulesFor({ password, keyPrefix }: AclUser): string[] {
  const digest = password
    ? createHash('sha256').update(password.reveal()).digest('hex')
    : DIGEST_PLACEHOLDER;
  const pattern = `${keyPrefix.replace(/[\\*?[\]]/g, '\\$&')}*`;
  const commands = [...new Set([...CLIENT_COMMANDS, ...SCRIPT_COMMANDS])].sort();
  return [
    'on',
    `#${digest}`,
    'resetkeys',
    `~${pattern}`,
    'resetchannels',
    `&${pattern}`,
    '-@all',
    ...commands.map((command) => `+${command}`),
  ];
}

/** As redis-cli reads an argument. */
function quoted(argument: string): string {
  return /["']/.test(argument) ? `"${argument.replace(/["\\]/g, '\\$&')}"` : argument;
}
