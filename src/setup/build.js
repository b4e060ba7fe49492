import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runs, say, SetUpError } from './prerequisites.js';

const STAMP = 'dist/.built-from';
const CONFIGURATION = [
  'nest-cli.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Compiles `src` into `dist` when a source was changed, added or removed since the last time. */
export function ensureBuild() {
  const sources = describeSources();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources) {
    return;
  }
  say('Building …');
  if (!runs(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'build'])) {
    throw new SetUpError('The build failed. The messages of the compiler are above.');
  }
  writeFileSync(STAMP, sources);
}

function describeSources() {
  const files = readdirSync('src', { recursive: true })
    .map((name) => join('src', name))
    .filter((file) => !file.endsWith('.spec.ts') && statSync(file).isFile());
  const hash = createHash('sha256');
  for (const file of [...files, ...CONFIGURATION].sort()) {
    hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}
