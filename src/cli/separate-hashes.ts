import { SeparateHashes } from '../users/index.js';
import { withApplication } from './with-application.js';

/** Moves and deletes password hashes of earlier versions, and prints the numbers of users. Exit code 1 if it failed. */
export async function separateHashes(): Promise<void> {
  await withApplication(async (application) => {
    const { moved, deleted } = await application.get(SeparateHashes).run();
    process.stdout.write(
      `Moved the password hashes of ${moved} users. Deleted those of ${deleted} users who do not exist any more.\n`,
    );
  }, 'Run the command again.\n');
}
