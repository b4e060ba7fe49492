import { spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';

import { SetUpError } from './prerequisites.js';

/** Arguments for Node. Jest requires the first flag for ES modules. */
export const JEST = [
  '--experimental-vm-modules',
  '--no-warnings',
  'node_modules/jest/bin/jest.js',
  '--config',
  'test/jest.config.js',
];

/** @returns the tests that arguments for Jest select, as paths relative to the project root */
export function chosenFiles(jestArguments) {
  const args = [...JEST, '--listTests', ...withoutOutput(jestArguments)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) {
    throw new SetUpError(stderr.trim());
  }
  // With the option --json, the output is JSON.
  const paths = stdout.startsWith('[') ? JSON.parse(stdout) : stdout.split('\n').filter(Boolean);
  return paths.map((path) => relative('.', path));
}

/** Jest would watch instead of listing the tests, or write the list to the file. */
function withoutOutput(jestArguments) {
  const output = { type: 'string' };
  const { tokens } = parseArgs({
    args: jestArguments,
    options: { outputFile: output, 'output-file': output },
    strict: false,
    tokens: true,
  });
  const left = tokens
    .filter(({ name }) => name === 'outputFile' || name === 'output-file')
    .flatMap(({ index, inlineValue }) => (inlineValue ? [index] : [index, index + 1]));
  return jestArguments.filter(
    (argument, index) => !left.includes(index) && !argument.startsWith('--watch'),
  );
}
