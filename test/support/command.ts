import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';

import { running } from './running.js';
import { testVariables } from './test-variables.js';

export const CLI = resolve('dist/cli.js');
const HOST = resolve('test/support/command-host.mjs');
const COMMAND_TIMEOUT_MS = 100_000;

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Override the settings of a test instance; undefined removes one. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Default: a folder without .env. */
  readonly cwd?: string;
}

/** The Redis user that also has the permissions which only operators need, such as +scan. */
export function asOperator(keyPrefix: string): Record<string, string | undefined> {
  return {
    REDIS_KEY_PREFIX: keyPrefix,
    REDIS_USERNAME: process.env['TEST_REDIS_ADMIN_USERNAME'],
    REDIS_PASSWORD: process.env['TEST_REDIS_ADMIN_PASSWORD'],
  };
}

export function commandEnvironment(
  variables: Readonly<Record<string, string | undefined>> = {},
): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], ...testVariables(variables) };
}

let host: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Runs a command of the command line, after those that were requested before. All of a test file share one process. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = last.then(async () => runNow(args, options));
  last = result.catch(() => undefined);
  return result;
}

async function runNow(
  args: readonly string[],
  { variables, cwd = tmpdir() }: CommandOptions,
): Promise<CommandResult> {
  const process = (host ??= startHost());
  const end = `<end of ${randomUUID()}>`;
  const signal = AbortSignal.timeout(COMMAND_TIMEOUT_MS);
  const ended = Promise.all([
    once(process, 'message', { signal }),
    textUntil(process.stdout!, end, signal),
    textUntil(process.stderr!, end, signal),
  ]);
  process.send({ args, env: commandEnvironment(variables), cwd, end });
  const [[{ status }], stdout, stderr] = await ended;
  return { status: (status as number) ?? 0, stdout, stderr };
}

function startHost(): ChildProcess {
  const child = spawn(process.execPath, [HOST, CLI], {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(() => {
    child.kill();
    return Promise.resolve();
  });
  return child;
}

async function textUntil(stream: Readable, end: string, signal: AbortSignal): Promise<string> {
  let text = '';
  const untilEnd = new Promise<string>((resolve, reject) => {
    const add = (chunk: string): void => {
      text += chunk;
      if (text.endsWith(end)) {
        stream.off('data', add);
        resolve(text.slice(0, -end.length));
      }
    };
    stream.setEncoding('utf8').on('data', add);
    signal.addEventListener('abort', () => reject(new Error(`not ended after: ${text}`)));
  });
  return untilEnd;
}
