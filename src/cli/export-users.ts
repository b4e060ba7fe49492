import { createWriteStream } from 'node:fs';
import { lstat, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { Origin } from '../common/origin/index.js';
import { UserExport, type ExportedUser } from '../users/index.js';
import { CommandError } from './cluster-nodes.js';
import type { UsersCommand } from './users-arguments.js';
import { withApplication } from './with-application.js';

const PROGRESS_INTERVAL_MS = 10_000;
const PRIVATE_MODE = 0o600;

const UNCHECKED = `The Redis user has no permission +scan, so the export cannot find out whether the directory has all users. After an
upgrade from a version without a directory, and after a loss of data, run 'users reindex' before the export.
`;

/**
 * Writes all users to a new file, and prints how many. Exit code 1 if it failed. There is no file then. A command that was killed
 * leaves `<path>.partial`.
 */
export async function exportUsers({
  path,
  hasPasswordHashes,
}: Extract<UsersCommand, { readonly action: 'export' }>): Promise<void> {
  await withApplication(async (application) => {
    if (await exists(path)) {
      throw new CommandError(`The file cannot be created: ${path} exists.`);
    }
    const counter = { users: 0 };
    const users = application.get(UserExport).users(hasPasswordHashes, Origin.operator, {
      onImpossible: () => process.stderr.write(UNCHECKED),
    });
    const partial = `${path}.partial`;
    const file = createWriteStream(partial, { flags: 'wx', mode: PRIVATE_MODE, flush: true });
    try {
      await pipeline(Readable.from(linesOf(users, counter)), file);
      await rename(partial, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === 'open') {
        throw new CommandError(
          `The file cannot be created: ${(error as Error).message}. Delete ${partial} if an earlier export has left it.`,
        );
      }
      await rm(partial, { force: true });
      throw error;
    }
    process.stdout.write(`Exported ${counter.users} users.\n`);
  }, 'Run the command again.\n');
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function* linesOf(
  users: AsyncIterable<ExportedUser>,
  counter: { users: number },
): AsyncGenerator<string> {
  let printedAt = performance.now();
  for await (const user of users) {
    yield `${JSON.stringify(user)}\n`;
    counter.users += 1;
    if (performance.now() - printedAt > PROGRESS_INTERVAL_MS) {
      printedAt = performance.now();
      process.stderr.write(`${counter.users} users …\n`);
    }
  }
}
