import { loadRedisUser, SettingsError } from '../config/index.js';
import { aclFileLine, aclSetUser, DIGEST_PLACEHOLDER } from '../redis-cluster/index.js';

const DEFAULT_USERNAME = 'keyslot';

/**
 * Prints the Redis user with the least rights: the line on standard output, what to do with it on standard error, so
 * that the output can be piped into redis-cli or a file.
 */
export function printRedisAcl({ isFile }: { readonly isFile: boolean }): void {
  try {
    const { username = DEFAULT_USERNAME, ...rest } = loadRedisUser();
    const user = { username, ...rest };
    process.stdout.write(`${isFile ? aclFileLine(user) : aclSetUser(user)}\n`);
    process.stderr.write(advice(isFile, user.password === undefined));
  } catch (error) {
    if (!(error instanceof SettingsError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

function advice(isFile: boolean, isWithoutPassword: boolean): string {
  const lines = isFile
    ? [
        'Put this line into the file of users (aclfile) of EVERY node, then: redis-cli … ACL LOAD',
        'A cluster does not pass users on from node to node.',
      ]
    : [
        'Run this on EVERY node, replicas too: a cluster does not pass users on. As an administrator, for each node:',
        '  node dist/cli.js redis-acl | redis-cli -h <host> -p <port> --user <administrator>',
        '(with the administrator’s password in REDISCLI_AUTH). Then keep it with ACL SAVE or CONFIG REWRITE.',
      ];
  if (isWithoutPassword) {
    lines.push(
      `REDIS_PASSWORD is not set. Put its digest in place of ${DIGEST_PLACEHOLDER}:`,
      '  printf %s "$REDIS_PASSWORD" | sha256sum',
    );
  }
  lines.push(
    'Last, on every node, turn off the user that everybody is who does not log in:',
    '  ACL SETUSER default off',
    'Before that, replicas need a user of their own (masteruser), and so do you. See docs/operations.md.',
  );
  return `\n${lines.join('\n')}\n`;
}
