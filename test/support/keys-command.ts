import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { testVariables } from './test-variables.js';

const CLI = resolve('dist/cli.js');
const COMMAND_TIMEOUT_MS = 100_000;

export interface CommandResult {
  readonly status: string | number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `keys` with the settings of an instance. Asynchronous, because instances may run in this process.
 *
 * @param variables override the settings; undefined removes one
 */
export async function runKeysCommand(
  variables: Readonly<Record<string, string | undefined>>,
  ...args: string[]
): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'], ...testVariables(variables) };
  // A folder without .env.
  const options = { cwd: tmpdir(), env, timeout: COMMAND_TIMEOUT_MS };
  return new Promise((done) => {
    execFile(process.execPath, [CLI, 'keys', ...args], options, (error, stdout, stderr) =>
      done({ status: error ? (error.code ?? 'killed') : 0, stdout, stderr }),
    );
  });
}
