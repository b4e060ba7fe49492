import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Creates a directory and its missing parents. An existing directory is not changed.
 *
 * Replaces `mkdirSync` with `recursive`, which loops endlessly where a file system returns ENOENT below an existing
 * directory, such as /proc (Node 20 to 24).
 *
 * @param mode of the directories that are created
 * @throws Error of the file system, when the path cannot be created or is not a directory
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
    // Another process may have created it in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(target)) {
      throw error;
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
