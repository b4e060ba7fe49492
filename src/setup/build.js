import { runs, say, SetUpError } from './prerequisites.js';
import { filesIn, whenChanged } from './stamp.js';

const STAMP = 'dist/.built-from';
/** Vite builds the console into it, and `nest build` copies it. */
const CONSOLE_PAGE = 'src/console/page/';
const CONFIGURATION = [
  'nest-cli.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Compiles `src` into `dist` when a source file was changed, added or removed since the last build. */
export function ensureBuild() {
  const sources = filesIn('src').filter(
    (file) => !file.endsWith('.spec.ts') && !file.startsWith(CONSOLE_PAGE),
  );
  whenChanged(STAMP, [...sources, ...CONFIGURATION], () => {
    say('Building …');
    const steps = [
      ['node_modules/vite/bin/vite.js', 'build', 'src/console/app', '--logLevel', 'warn'],
      ['node_modules/@nestjs/cli/bin/nest.js', 'build'],
    ];
    if (!steps.every((step) => runs(process.execPath, step))) {
      throw new SetUpError('The build failed. The compiler messages are above.');
    }
  });
}
