import { runs, say, ensureChromium, ensureSpin, ensureWrk, SetUpError } from './prerequisites.js';

const node = (script, ...args) => [process.execPath, [`node_modules/${script}`, ...args]];

const CHECKS = [
  ['Formatting', ...node('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')],
  ['Lint', ...node('eslint/bin/eslint.js', '.')],
  ['Module boundaries', ...node('dependency-cruiser/bin/dependency-cruise.mjs', 'src')],
  ['Types', ...node('typescript/bin/tsc', '--noEmit')],
];

/** Lint, types, then every test. With arguments only the tests, chosen by Jest's own options. */
export function runTests(jestArguments) {
  process.env.CHROMIUM = ensureChromium();
  ensureSpin();
  ensureWrk();
  if (jestArguments.length === 0) {
    for (const [name, command, args] of CHECKS) {
      say(`${name} …`);
      if (!runs(command, args)) {
        throw new SetUpError(`${name}: not in order, see above.`);
      }
    }
  }
  const jest = [
    'node_modules/jest/bin/jest.js',
    '--config',
    'test/jest.config.js',
    ...jestArguments,
  ];
  // Jest runs ES modules only behind this flag.
  if (!runs(process.execPath, ['--experimental-vm-modules', '--no-warnings', ...jest])) {
    process.exitCode = 1;
  }
}
