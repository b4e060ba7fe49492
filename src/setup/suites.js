import { cpSync } from 'node:fs';

import { runs, say, SetUpError } from './prerequisites.js';
import { filesIn, whenChanged } from './stamp.js';

const COMPILED = '.cache/suites';
const CONFIGURATION = ['package-lock.json', 'tsconfig.json'];
const SOURCE = /\.(?:ts|json|lua)$/;
/** What the application reads beside its code. */
const ASSET = /\.(?:lua|json)$/;

/**
 * Runs a program of its own under `test`, with its own options: `test/<name>/main.ts`. It is compiled with all that it may
 * need when a source was changed, added or removed since the last time.
 */
export async function runSuite(name, options) {
  const files = ['src', 'test'].flatMap(filesIn).filter((file) => SOURCE.test(file));
  whenChanged(`${COMPILED}/.built-from`, [...files, ...CONFIGURATION], () => {
    say('Compiling …');
    const compiler = ['node_modules/typescript/bin/tsc', '--outDir', COMPILED];
    const only = ['--declaration', 'false', '--sourceMap', 'false'];
    if (!runs(process.execPath, [...compiler, ...only])) {
      throw new SetUpError('It does not compile. The messages of the compiler are above.');
    }
    for (const file of files.filter((name) => ASSET.test(name))) {
      cpSync(file, `${COMPILED}/${file}`);
    }
  });
  process.argv.splice(2, process.argv.length, ...options);
  await import(`../../${COMPILED}/test/${name}/main.js`);
}
