import { loadOperatorSettings, SettingsError, type OperatorSettings } from '../config/index.js';
import {
  aclFileLines,
  aclSetUser,
  DEFAULT_USER_RULES,
  DIGEST_PLACEHOLDER,
} from '../redis-cluster/index.js';

const DEFAULT_USERNAME = 'keyslot';

/**
 * Prints the least-privilege Redis user of the application as a command, or all lines of the ACL file. Instructions go to
 * standard error, so that the output can be piped into redis-cli or a file.
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
      `${name} is not set. Replace ${DIGEST_PLACEHOLDER} with the digest of the password:`,
      `  printf %s "$${name}" | sha256sum`,
    ]),
    'See docs/operations/redis-users.md. Then check every node: node dist/cli.js doctor',
  ].join('\n')}\n`;
}

const FILE_ADVICE = [
  'These are all lines of the ACL file (aclfile) of EVERY node. Start the nodes with it.',
  'On a running node, create the users with ACL SETUSER instead, because ACL LOAD closes connections.',
  'Replicas connect as the user replica: masteruser replica, masterauth <its password>.',
];

const COMMAND_ADVICE = [
  'Run this on EVERY node, including replicas, because a cluster does not replicate users. As an administrator, for each node:',
  '  node dist/cli.js redis-acl | redis-cli -h <host> -p <port> --user <administrator>',
  '(with the password of the administrator in REDISCLI_AUTH). Then persist it with ACL SAVE or CONFIG REWRITE.',
  'Finally, on every node, disable the user of unauthenticated connections, but keep its permissions:',
  `  ACL SETUSER default ${DEFAULT_USER_RULES.join(' ')}`,
  'Without them, a node discards acknowledged writes when it restarts and loads its append-only file.',
  'Before that, create separate users for replication (masteruser) and for yourself.',
];
