import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and the missing ones above it. A directory that is there stays as it is.
 *
 * `mkdirSync` with `recursive` does not serve: where a file system answers ENOENT below a directory that exists, such as
 * /proc, it tries again for ever (Node 20 to 24).
 *
 * @param mode of what is made
 * @throws Error of the file system, when the path cannot be made or is no directory
 */
export function makeDirectory(path: string, mode: number): void {
  const target = resolve(path);
  if (isDirectory(target)) {
    return;
  }
  const parent = dirname(target);
  if (parent !== target) {
    makeDirectory(parent, mode);
  }
  try {
    mkdirSync(target, { mode });
  } catch (error) {
    // Another process may have been quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(target)) {
      throw error;
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
