import { loadOperatorSettings, SettingsError, type OperatorSettings } from '../config/index.js';
import {
  aclFileLines,
  aclSetUser,
  DEFAULT_USER_RULES,
  DIGEST_PLACEHOLDER,
} from '../redis-cluster/index.js';

const DEFAULT_USERNAME = 'keyslot';

/**
 * Prints the Redis users: the application's with the least rights as a command, or every line of a node's file of users.
 * What to do with them goes to standard error, so that the output can be piped into redis-cli or a file.
 */
export function printRedisAcl({ isFile }: { readonly isFile: boolean }): void {
  try {
    const settings = loadOperatorSettings();
    const output = isFile ? fileOf(settings) : aclSetUser(applicationOf(settings));
    process.stdout.write(`${output}\n`);
    process.stderr.write(advice(isFile, settings));
  } catch (error) {
    if (!(error instanceof SettingsError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

function applicationOf({ redis }: OperatorSettings) {
  const { username = DEFAULT_USERNAME, password, keyPrefix } = redis;
  return { username, keyPrefix, ...(password ? { password } : {}) };
}

function fileOf(settings: OperatorSettings): string {
  const { administrator, replicaPassword } = settings;
  return aclFileLines({
    application: applicationOf(settings),
    ...(administrator.password ? { administratorPassword: administrator.password } : {}),
    ...(replicaPassword ? { replicaPassword } : {}),
  }).join('\n');
}

function advice(isFile: boolean, settings: OperatorSettings): string {
  const { redis, administrator, replicaPassword } = settings;
  const missing = [
    ...(redis.password ? [] : ['REDIS_PASSWORD']),
    ...(isFile && !administrator.password ? ['REDIS_ADMIN_PASSWORD'] : []),
    ...(isFile && !replicaPassword ? ['REDIS_REPLICA_PASSWORD'] : []),
  ];
  return `\n${[
    ...(isFile ? FILE_ADVICE : COMMAND_ADVICE),
    ...missing.flatMap((name) => [
      `${name} is not set. Put the digest of the password in place of ${DIGEST_PLACEHOLDER}:`,
      `  printf %s "$${name}" | sha256sum`,
    ]),
    'See docs/operations/redis-users.md. Then check every node: node dist/cli.js doctor',
  ].join('\n')}\n`;
}

const FILE_ADVICE = [
  'These are all lines of the file of users (aclfile) of EVERY node. Let nodes start with it.',
  'In a node that runs, make the users with ACL SETUSER: ACL LOAD closes connections.',
  'Replicas follow as the user replica: masteruser replica, masterauth <its password>.',
];

const COMMAND_ADVICE = [
  'Run this on EVERY node, replicas too: a cluster does not pass users on. As an administrator, for each node:',
  '  node dist/cli.js redis-acl | redis-cli -h <host> -p <port> --user <administrator>',
  '(with the administrator’s password in REDISCLI_AUTH). Then keep it with ACL SAVE or CONFIG REWRITE.',
  'Last, on every node, turn off the user that everybody is who does not log in, and leave it its rights:',
  `  ACL SETUSER default ${DEFAULT_USER_RULES.join(' ')}`,
  'Without them a node that restarts discards acknowledged writes while it loads its append-only file.',
  'Before that, replicas need a user of their own (masteruser), and so do you.',
];
