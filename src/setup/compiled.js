import { cpSync, statSync } from 'node:fs';

import { runs, say, SetUpError } from './prerequisites.js';

const ASSET = /\.(lua|json)$/;

/** Compiles sources and tests into a folder of their own, and runs a program of the tests with its own options. */
export async function runCompiled({ name, title }, options) {
  const folder = `.cache/${name}`;
  say(`${title} is being compiled …`);
  const compiler = ['node_modules/typescript/bin/tsc', '--outDir', folder];
  if (!runs(process.execPath, [...compiler, '--declaration', 'false', '--sourceMap', 'false'])) {
    throw new SetUpError(`${title} does not compile. The messages of the compiler are above.`);
  }
  // What the application reads beside its code.
  cpSync('src', `${folder}/src`, {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || ASSET.test(path),
  });
  process.argv.splice(2, process.argv.length, ...options);
  await import(`../../${folder}/test/${name}/main.js`);
}
