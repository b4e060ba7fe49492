import { runs, say, SetUpError } from './prerequisites.js';
import { filesIn, whenChanged } from './stamp.js';

const STAMP = 'dist/.built-from';
const CONFIGURATION = [
  'nest-cli.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Compiles `src` into `dist` when a source file was changed, added or removed since the last build. */
export function ensureBuild() {
  const sources = filesIn('src').filter((file) => !file.endsWith('.spec.ts'));
  whenChanged(STAMP, [...sources, ...CONFIGURATION], () => {
    say('Building …');
    if (!runs(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'build'])) {
      throw new SetUpError('The build failed. The compiler messages are above.');
    }
  });
}
