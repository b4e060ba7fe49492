import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';

import { ensureBuild } from './build.js';
import { chosenFiles, JEST } from './chosen-tests.js';
import { ensureFor } from './test-needs.js';
import { runs, say, SetUpError } from './prerequisites.js';

const node = (script, ...args) => [process.execPath, [`node_modules/${script}`, ...args]];

const CHECKS = [
  [
    'Formatting',
    ...node(
      'prettier/bin/prettier.cjs',
      '--check',
      '--log-level',
      'warn',
      '--cache',
      '--cache-location',
      '.cache/prettier',
      '.',
    ),
  ],
  // No cache, because rules with type information depend on other files too.
  ['Lint', ...node('eslint/bin/eslint.js', '.')],
  ['Module boundaries', ...node('dependency-cruiser/bin/dependency-cruise.mjs', 'src')],
  [
    'Types',
    ...node(
      'typescript/bin/tsc',
      '--noEmit',
      '--incremental',
      '--tsBuildInfoFile',
      '.cache/types.tsbuildinfo',
    ),
  ],
  [
    'Types of the console',
    ...node('typescript/bin/tsc', '--noEmit', '--project', 'src/console/app'),
  ],
];

/** The projects of test/jest.config.js in each suite. */
const SUITES = {
  fast: ['unit', 'api'],
  slow: ['slow', 'programs'],
};

/**
 * Checks formatting, lint, module boundaries and types, and then runs unit and API tests. With arguments for Jest, runs only
 * the selected tests of both suites.
 */
export async function runFastTests(jestArguments) {
  if (jestArguments.length > 0) {
    runJest(jestArguments);
    return;
  }
  await check();
  runJest(['--selectProjects', ...SUITES.fast]);
}

/** Runs all other tests, or those that the arguments for Jest select. */
export async function runSlowTests(jestArguments) {
  // More workers than cores, because these tests wait most of the time. The names of the projects are last, because Jest
  // treats all following arguments as such.
  const workers = ['--maxWorkers', String(2 + Math.max(2, availableParallelism()))];
  runJest([...workers, ...jestArguments, '--selectProjects', ...SUITES.slow]);
}

/** Installs and builds what the selected tests need, and runs them. */
function runJest(jestArguments) {
  const files = chosenFiles(jestArguments);
  if (files.some((file) => !file.startsWith('src/'))) {
    ensureFor(files);
    ensureBuild();
  }
  if (!runs(process.execPath, [...JEST, ...jestArguments])) {
    process.exitCode = 1;
  }
}

/** Runs all checks concurrently, because each uses one core. */
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
    throw new SetUpError(`Checks failed, see above: ${failed.join(', ')}.`);
  }
}
