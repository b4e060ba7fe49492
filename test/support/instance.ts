import { spawn, type ChildProcess } from 'node:child_process';
import { resolve as resolvePath } from 'node:path';

import { HttpClient } from './http-client.js';

/** Built by whatever runs the tests, from the project's root. */
const MAIN = resolvePath('dist/main.js');
/** What instances of one cluster have in common. */
const SHARED = {
  KEY_ENCRYPTION_SECRET: 'a secret that only the tests know about',
  JWT_ISSUER: 'https://keyslot.test',
};

/** A real process of the application, as it runs in production. */
export class Instance extends HttpClient {
  private child: ChildProcess;
  private output = '';
  /** How often it was stopped, and whether it is now. */
  pauses = 0;
  isPaused = false;

  private constructor(
    url: string,
    child: ChildProcess,
    private readonly variables: Readonly<Record<string, string>>,
  ) {
    super(url);
    this.child = child;
    this.listen(child);
  }

  /** @param variables names the cluster, and whatever else is to be set */
  static async start(variables: Readonly<Record<string, string>>): Promise<Instance> {
    const child = launch({ PORT: '0', ...variables });
    return new Instance(await untilReady(child), child, variables);
  }

  /** What it has written to its log. */
  get log(): string {
    return this.output;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Stops the process where it stands, as a debugger or a busy host does. */
  pause(): void {
    this.pauses += 1;
    this.isPaused = true;
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.isPaused = false;
    this.child.kill('SIGCONT');
  }

  /** Ends it without a chance to say good-bye. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    this.resume();
    await this.end('SIGTERM');
  }

  /** Starts it again, at the same address. */
  async restart(): Promise<void> {
    const { port } = new URL(this.url);
    const child = launch({ ...this.variables, PORT: port });
    this.child = child;
    this.listen(child);
    await untilReady(child);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.isRunning) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill(signal);
      await ended;
    }
  }

  private listen(child: ChildProcess): void {
    child.stdout?.on('data', (data) => (this.output += String(data)));
  }
}

function launch(variables: Readonly<Record<string, string>>): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [MAIN], {
    env: { PATH, LOG_LEVEL: 'silent', ...SHARED, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** @returns the address that it prints */
async function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (data) => {
      output += String(data);
      const url = /API\s+(http\S+)\/api/.exec(output)?.[1];
      if (url !== undefined) {
        resolve(url);
      }
    });
    child.once('exit', (code, signal) => reject(new Error(`ended with ${signal ?? code}`)));
  });
}
