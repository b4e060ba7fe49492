import { Deadline } from '../common/deadline/index.js';
import { ListedUsers, LostFactors } from '../users/index.js';
import { CommandError } from './cluster-nodes.js';
import type { UsersCommand } from './users-arguments.js';
import { withApplication } from './with-application.js';

export const USERS_USAGE = `Usage: node dist/cli.js users <action>

Actions:
  import <file>      Import users with their password hashes. The file is JSON: one user a line, or a list, or the export of a
                     Keycloak realm. Import only when the last instance of a version without this command has stopped. Such a
                     version refuses imported users and counts their logins as guesses, also if you go back to it.
    --format <name>  keyslot, keycloak, django or auth0. Default: what the first user shows.
  import --from-redis-json
                     Import users from Redis keys with JSON texts that have a username and a plain password.
    --source-nodes <host:port,…>
                     Nodes of the Redis Cluster with these keys. Default: the cluster of Keyslot, without its own keys. The user of
                     another cluster is REDIS_SOURCE_USERNAME with REDIS_SOURCE_PASSWORD or REDIS_SOURCE_PASSWORD_FILE.
    --match <pattern>
                     The keys, as a pattern of SCAN. Default: all. The report then does not name keys without such users.
    --dry-run        For both: check everything, and write nothing but the report.
    --report <file>  For both: where the refused users are listed, with the reasons. Default: <file>.refused.ndjson or
                     redis-json.refused.ndjson.
  export <new file>  Write all users, one JSON object a line. Only the owner of the file may read it. It reads the directory, and
                     fails when users are missing there: run reindex first. Without the permission +scan, it cannot find this out.
    --with-password-hashes
                     Include the password hashes, so that the users can log in after an import.
  reindex            Rebuild the directory, the index by which users are listed and searched. Run it once after an upgrade from a
                     version without a directory, when the last instance of that version has stopped, and after a loss of data. Do
                     not run it for an application with a userStore of its own, which does not use this directory.
  remove-factors <name>
                     Remove all second factors of a user who has lost them, such as the last administrator. Verify who asks: the
                     password alone is then enough to log in. All sessions of the user end at once, also while instances run.

Uses the settings of an instance. For reindex, export and --from-redis-json, its Redis user also needs the permission +scan,
and for --from-redis-json the right to read the keys. See docs/operations/import-and-export.md.

Exit code: 0 done, 1 failed, not confirmed or some users refused, 2 wrong usage. Repeating a command is safe, also while instances
run. A repeated import continues where the last one ended.
`;

export async function runUsers(command: UsersCommand): Promise<void> {
  switch (command.action) {
    case 'reindex':
      return reindexUsers();
    case 'remove-factors':
      return removeFactors(command.username);
    case 'import':
      return (await import('./import-users.js')).importUsers(command);
    case 'export':
      return (await import('./export-users.js')).exportUsers(command);
  }
}

/** Exit code 1 if it failed, or if there is no such user. */
async function removeFactors(username: string): Promise<void> {
  await withApplication(async (application) => {
    const userId = await application.get(LostFactors).remove(username, Deadline.none);
    if (userId === undefined) {
      throw new CommandError('There is no such user. Nothing was changed.');
    }
    process.stdout.write(`Removed the second factors of the user ${userId}.\n`);
  }, 'Run the command again, if it is not certain that it has succeeded. Repeating it is safe.\n');
}

/** Exit code 1 if it failed. */
async function reindexUsers(): Promise<void> {
  await withApplication(async (application) => {
    const users = await application.get(ListedUsers).reindex();
    process.stdout.write(`Checked the directory entries of ${users} users.\n`);
  }, 'Run the command again.\n');
}
