import { cpSync, statSync } from 'node:fs';

import { SetUpError, runs, say } from './prerequisites.js';

const COMPILED = '.cache/scale';
const ASSETS = /\.(lua|json)$/;

/** Loads a cluster of its own with sessions, and measures: compiled, with its own options. */
export async function runScale(options) {
  say('Compiling …');
  const compiler = ['node_modules/typescript/bin/tsc', '--outDir', COMPILED];
  if (!runs(process.execPath, [...compiler, '--declaration', 'false', '--sourceMap', 'false'])) {
    throw new SetUpError('It does not compile. The messages of the compiler are above.');
  }
  cpSync('src', `${COMPILED}/src`, {
    recursive: true,
    filter: (file) => statSync(file).isDirectory() || ASSETS.test(file),
  });
  process.argv.splice(2, process.argv.length, ...options);
  await import(`../../${COMPILED}/test/scale/main.js`);
}
