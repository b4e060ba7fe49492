import { cpSync, readFileSync, writeFileSync } from 'node:fs';

import { runs, say, SetUpError } from './prerequisites.js';
import { filesIn, whenChanged } from './stamp.js';

const COMPILED = '.cache/suites';
const CONFIGURATION = ['package-lock.json', 'tsconfig.json'];
const SOURCE = /\.(?:ts|json|lua)$|\/browser\/[^/]+\.js$/;
/** Files that the application reads at run time. */
const ASSET = /\.(?:lua|json)$|\/browser\/[^/]+\.js$/;

/** Runs the program `test/<name>/main.ts` with the given options. Compiles it first if a source file has changed. */
export async function runSuite(name, options) {
  const files = ['src', 'test'].flatMap(filesIn).filter((file) => SOURCE.test(file));
  whenChanged(`${COMPILED}/.built-from`, [...files, ...CONFIGURATION], () => {
    say('Compiling …');
    const compiler = ['node_modules/typescript/bin/tsc', '--outDir', COMPILED];
    const only = ['--declaration', 'false', '--sourceMap', 'false'];
    if (!runs(process.execPath, [...compiler, ...only])) {
      throw new SetUpError('The compilation failed. The compiler messages are above.');
    }
    for (const file of files.filter((name) => ASSET.test(name))) {
      cpSync(file, `${COMPILED}/${file}`);
    }
    // The application reads its version. Without a name, because another package has it.
    const { type, version } = JSON.parse(readFileSync('package.json', 'utf8'));
    writeFileSync(`${COMPILED}/package.json`, JSON.stringify({ type, version }));
  });
  process.argv.splice(2, process.argv.length, ...options);
  await import(`../../${COMPILED}/test/${name}/main.js`);
}
