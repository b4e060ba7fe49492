import { runs, say, SetUpError } from './prerequisites.js';
import { filesIn, whenChanged } from './stamp.js';

const CONFIGURATION = ['package-lock.json', 'tsconfig.json'];

/**
 * Compiles what a suite of its own under `test` needs, when a source was changed, added or removed since the last time.
 *
 * @param name of the suite
 * @returns the folder that has it compiled, in the same layout
 */
export function compileSuite(name) {
  const folder = `.cache/${name}`;
  const sources = ['src', 'test'].flatMap(filesIn).filter((file) => /\.(?:ts|json)$/.test(file));
  whenChanged(`${folder}/.built-from`, [...sources, ...CONFIGURATION], () => {
    say(`Compiling ${name} …`);
    const compiler = ['node_modules/typescript/bin/tsc', '--outDir', folder];
    const only = ['--declaration', 'false', '--sourceMap', 'false'];
    if (!runs(process.execPath, [...compiler, ...only])) {
      throw new SetUpError(`${name} does not compile. The messages of the compiler are above.`);
    }
  });
  return folder;
}
