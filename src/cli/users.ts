import { ListedUsers } from '../users/index.js';
import { withApplication } from './with-application.js';

export const USERS_USAGE = `Usage: node dist/cli.js users <action>

Actions:
  reindex    Rebuild the directory, the index by which users are listed and searched. Run it once after an upgrade from a version
             without a directory, when the last instance of that version has stopped, and after a loss of data. Do not run it
             for an application with a userStore of its own, which does not use this directory.

Uses the settings of an instance. Its Redis user also needs the permission +scan.

Exit code: 0 done, 1 failed or not confirmed, 2 wrong usage. Repeating a command is safe, also while instances run.
`;

/** Exit code 1 if it failed. */
export async function reindexUsers(): Promise<void> {
  await withApplication(async (application) => {
    const users = await application.get(ListedUsers).reindex();
    process.stdout.write(`Checked the directory entries of ${users} users.\n`);
  }, 'Run the command again.\n');
}
