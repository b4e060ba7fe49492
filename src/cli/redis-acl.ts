import { loadOperatorSettings, SettingsError, type OperatorSettings } from '../config/index.js';
import {
  aclFileLine,
  aclFileLines,
  aclSetUser,
  DEFAULT_USER_RULES,
  DIGEST_PLACEHOLDER,
  type AclUser,
} from '../redis-cluster/index.js';

const DEFAULT_USERNAMES = { instance: 'keyslot', guard: 'keyslot-guard' } as const;

/**
 * Prints a least-privilege Redis user: of an instance or of a service with the guard. As a command, or for the ACL file: all
 * lines, or the line of the service. Instructions go to standard error, so that the output can be piped into redis-cli or a
 * file.
 */
export function printRedisAcl({
  isFile,
  isGuard,
}: {
  readonly isFile: boolean;
  readonly isGuard: boolean;
}): void {
  try {
    const settings = loadOperatorSettings();
    const user = userOf(settings, isGuard ? 'guard' : 'instance');
    const line = isGuard ? aclFileLine(user) : fileOf(settings);
    process.stdout.write(`${isFile ? line : aclSetUser(user)}\n`);
    process.stderr.write(advice({ isFile, isGuard }, settings));
  } catch (error) {
    if (!(error instanceof SettingsError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

function userOf({ redis }: OperatorSettings, kind: 'instance' | 'guard'): AclUser {
  const { username = DEFAULT_USERNAMES[kind], password, keyPrefix } = redis;
  return { username, kind, keyPrefix, ...(password ? { password } : {}) };
}

function fileOf(settings: OperatorSettings): string {
  const { administrator, replicaPassword } = settings;
  return aclFileLines({
    application: userOf(settings, 'instance'),
    ...(administrator.password ? { administratorPassword: administrator.password } : {}),
    ...(replicaPassword ? { replicaPassword } : {}),
  }).join('\n');
}

function advice(
  { isFile, isGuard }: { readonly isFile: boolean; readonly isGuard: boolean },
  settings: OperatorSettings,
): string {
  const isWholeFile = isFile && !isGuard;
  const { redis, administrator, replicaPassword } = settings;
  const missing = [
    ...(redis.password ? [] : ['REDIS_PASSWORD']),
    ...(isWholeFile && !administrator.password ? ['REDIS_ADMIN_PASSWORD'] : []),
    ...(isWholeFile && !replicaPassword ? ['REDIS_REPLICA_PASSWORD'] : []),
  ];
  return `\n${[
    ...(isGuard ? GUARD_ADVICE : isFile ? FILE_ADVICE : COMMAND_ADVICE),
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

const GUARD_ADVICE = [
  'A Redis user for a service with keyslot/guard or keyslot/connect. Create it on EVERY node, including replicas.',
  'It can read users (without their password hashes), sessions, signing keys (encrypted) and roles. It can note uses and renew',
  'its lease. Give each service a user and a password of its own.',
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
