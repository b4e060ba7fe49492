import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

const SCRIPT = resolve('test/bench/requests.lua');
const MAX_SECONDS = 600;
const MAX_CONNECTIONS = 1000;
const LOOPBACK = /^http:\/\/127\.0\.0\.1:\d+$/;

export interface Load {
  readonly url: string;
  /** The file that `writeRequests` has written. */
  readonly file: string;
  /** Whether the list is repeated at its end, or the run ends. */
  readonly order: 'cycle' | 'once';
  readonly seconds: number;
  readonly connections: number;
  /** The delay of each connection before each request. */
  readonly delayMs?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly durationMicros: number;
  readonly errors: Readonly<Record<'connect' | 'read' | 'write' | 'status' | 'timeout', number>>;
  readonly latencyMicros: Readonly<Record<'p50' | 'p90' | 'p99' | 'max', number>>;
}

/** Sends load from a separate process. @throws when a response was not as expected */
export async function runWrk(load: Load): Promise<LoadResult> {
  if (
    !LOOPBACK.test(load.url) ||
    !(load.seconds > 0 && load.seconds <= MAX_SECONDS) ||
    !(load.connections > 0 && load.connections <= MAX_CONNECTIONS)
  ) {
    throw new Error('load is for loopback only, and has limits');
  }
  const options = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '10s'];
  const script = ['-s', SCRIPT, load.url, '--', load.file, load.order, String(load.delayMs ?? 0)];
  const wrk = spawn('wrk', [...options, ...script], { stdio: ['ignore', 'pipe', 'pipe'] });
  // Stops the load when the run is interrupted.
  const end = (): boolean => wrk.kill();
  process.once('exit', end);
  let output = '';
  for (const stream of [wrk.stdout, wrk.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const code = await new Promise((done, fail) => wrk.once('error', fail).once('close', done));
  process.off('exit', end);
  if (code !== 0) {
    throw new Error(`wrk ended with code ${String(code)}:\n${output}`);
  }
  return validResult(output);
}

/** @throws when the output contains an error or no result */
export function validResult(output: string): LoadResult {
  const line = output.split('\n').findLast((text) => text.startsWith('{'));
  if (line === undefined) {
    throw new Error(`wrk told no result:\n${output}`);
  }
  const result = JSON.parse(line) as LoadResult;
  const errors = Object.entries(result.errors).filter(([, count]) => count > 0);
  if (errors.length > 0) {
    throw new Error(
      `not every request succeeded: ${errors.map((one) => one.join(' ')).join(', ')}`,
    );
  }
  if (result.requests === 0) {
    throw new Error('no request was answered');
  }
  return result;
}
