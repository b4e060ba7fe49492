import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs the work if one of the files was changed, added or removed since the last successful run. */
export function whenChanged(stamp, files, work) {
  const state = digestOf(files);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) {
    return;
  }
  work();
  writeFileSync(stamp, state);
}

export function filesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
}

function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}
