import { ListedUsers } from '../users/index.js';
import { withApplication } from './with-application.js';

export const USERS_USAGE = `Usage: node dist/cli.js users <action>

Actions:
  reindex    Make the directory, by which users are listed and searched, agree with the users. Run it once after an upgrade from a
             version without a directory, when the last instance of that version has stopped, and after a loss of data.

Uses the settings of an instance. Its Redis user also needs the permission +scan.

Exit code: 0 done, 1 failed or not confirmed, 2 wrong usage. Repeating a command is safe, also while instances run.
`;

/** Exit code 1 if it failed. */
export async function reindexUsers(): Promise<void> {
  await withApplication(async (application) => {
    const users = await application.get(ListedUsers).reindex();
    process.stdout.write(`Checked the entries of ${users} users in the directory.\n`);
  }, 'Run the command again.\n');
}
