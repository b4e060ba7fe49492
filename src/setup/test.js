import { execFile } from 'node:child_process';

import {
  runs,
  say,
  ensureChromium,
  ensureNginx,
  ensureSpin,
  ensureWrk,
  SetUpError,
} from './prerequisites.js';

const node = (script, ...args) => [process.execPath, [`node_modules/${script}`, ...args]];

const CHECKS = [
  ['Formatting', ...node('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')],
  ['Lint', ...node('eslint/bin/eslint.js', '.')],
  ['Module boundaries', ...node('dependency-cruiser/bin/dependency-cruise.mjs', 'src')],
  ['Types', ...node('typescript/bin/tsc', '--noEmit')],
];

/** Lint, types, then every test. With arguments only the tests, chosen by Jest's own options. */
export async function runTests(jestArguments) {
  process.env.CHROMIUM = ensureChromium();
  process.env.NGINX = ensureNginx();
  ensureSpin();
  ensureWrk();
  if (jestArguments.length === 0) {
    await check();
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

/** All of them at the same time, because each has work for one core. */
async function check() {
  const names = CHECKS.map(([name]) => name);
  say(`${names.join(', ')} …`);
  const results = await Promise.all(
    CHECKS.map(
      async ([, command, args]) =>
        new Promise((done) =>
          execFile(command, args, { maxBuffer: Infinity }, (error, stdout, stderr) =>
            done({ hasFailed: error !== null, output: stdout + stderr }),
          ),
        ),
    ),
  );
  say(
    results
      .map(({ output }) => output.trim())
      .filter(Boolean)
      .join('\n\n'),
  );
  const failed = names.filter((_, index) => results[index].hasFailed);
  if (failed.length > 0) {
    throw new SetUpError(`Not in order, see above: ${failed.join(', ')}.`);
  }
}
