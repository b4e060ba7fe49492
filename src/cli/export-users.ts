import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { Origin } from '../common/origin/index.js';
import { UserExport, type ExportedUser } from '../users/index.js';
import { CommandError } from './cluster-nodes.js';
import type { UsersCommand } from './users-arguments.js';
import { withApplication } from './with-application.js';

const PROGRESS_INTERVAL_MS = 10_000;
const PRIVATE_MODE = 0o600;

/** Writes all users to a new file, and prints how many. Exit code 1 if it failed. There is no file then. */
export async function exportUsers({
  path,
  hasPasswordHashes,
}: Extract<UsersCommand, { readonly action: 'export' }>): Promise<void> {
  await withApplication(async (application) => {
    const counter = { users: 0 };
    const users = application.get(UserExport).users(hasPasswordHashes, Origin.operator);
    const file = createWriteStream(path, { flags: 'wx', mode: PRIVATE_MODE, flush: true });
    try {
      await pipeline(Readable.from(linesOf(users, counter)), file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === 'open') {
        throw new CommandError(`The file cannot be created: ${(error as Error).message}.`);
      }
      await rm(path, { force: true });
      throw error;
    }
    process.stdout.write(`Exported ${counter.users} users.\n`);
  }, 'Run the command again.\n');
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
