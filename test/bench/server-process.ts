import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import { childrenOf } from '../support/processes.js';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 20;
/** The line that Keyslot prints, and the line that the other peers print. */
const URL_LINE = /^(?: +API +)?(http:\/\/127\.0\.0\.1:\d+)(?:\/api)?$/m;
/** The index of utime in /proc/<pid>/stat, after the name. */
const USER_TIME_FIELD = 11;
const MICROS_PER_TICK = 10_000;

export type Variables = Readonly<Record<string, string>>;

/** A server as a separate process. Its output goes to a file, as in production. */
export class ServerProcess {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly log: string,
  ) {}

  /** @param signal stops it, even during the start */
  static async start(
    program: string,
    variables: Variables,
    log: string,
    signal: AbortSignal,
  ): Promise<ServerProcess> {
    const child = spawnInto(log, [program], variables, signal);
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const url = URL_LINE.exec(readFileSync(log, 'utf8'))?.[1];
      if (url !== undefined) {
        return new ServerProcess(url, child, log);
      }
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded || performance.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${program} did not start:\n${readFileSync(log, 'utf8')}`);
      }
      await delay(POLL_MS);
    }
  }

  /** CPU time of the process and of its workers so far; 0 on systems other than Linux. */
  get cpuMicros(): number {
    const pid = this.child.pid!;
    return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + cpuMicrosOf(each), 0);
  }

  /** Truncates the log, so that a long run does not fill the disk. */
  truncateLog(): void {
    truncateSync(this.log);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((done) => this.child.once('exit', done));
      this.child.kill('SIGTERM');
      const killTimer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(killTimer);
    }
  }
}

function cpuMicrosOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[USER_TIME_FIELD]) + Number(fields[USER_TIME_FIELD + 1]);
    return ticks * MICROS_PER_TICK;
  } catch {
    return 0;
  }
}

/** Runs a program until it exits. @throws when it fails */
export async function runProgram(
  program: string,
  args: readonly string[],
  variables: Variables,
  log: string,
  signal: AbortSignal,
): Promise<void> {
  const child = spawnInto(log, [program, ...args], variables, signal);
  const code = await new Promise((done) => child.once('exit', done));
  if (code !== 0) {
    throw new Error(`${program} failed:\n${readFileSync(log, 'utf8')}`);
  }
}

function spawnInto(
  log: string,
  args: readonly string[],
  variables: Variables,
  signal: AbortSignal,
): ChildProcess {
  const output = openSync(log, 'a');
  const child = spawn(process.execPath, args, {
    cwd: tmpdir(), // without .env
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...variables },
    stdio: ['ignore', output, output],
    signal,
  });
  child.on('error', () => undefined); // the exit reports it
  closeSync(output);
  return child;
}
