import { spawn, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { freePort } from './free-port.js';
import { HttpClient } from './http-client.js';
import { eventually } from './own-cluster.js';
import { running } from './running.js';
import { testVariables } from './test-variables.js';
import { within } from './within.js';

/** The test runner builds this file. Its path is relative to the project root. */
const MAIN = resolve('dist/main.js');
/** Both are longer than it takes on a busy machine. */
const START_TIMEOUT_MS = 50_000;
const STOP_TIMEOUT_MS = 30_000;
const READY = /API\s+(http\S+)\/api\s/;

type Variables = Readonly<Record<string, string>>;

/** An instance in a separate process, as in a container. */
export class Instance extends HttpClient {
  isPaused = false;
  /** When it was last stopped, killed or restarted, on the monotonic clock; Infinity while it is down or stopped. */
  disturbedUntil = -Infinity;
  private earlierOutput = '';

  private constructor(
    url: string,
    private run: Run,
    private readonly variables: Variables,
    private readonly program: string,
  ) {
    super(url);
  }

  /**
   * Starts an instance on the test cluster, or on the given one, and waits until it is ready. Instances with the same
   * REDIS_KEY_PREFIX belong to the same deployment.
   *
   * @param program another program that extends Keyslot
   */
  static async start(variables: Variables, program = MAIN): Promise<Instance> {
    const run = new Run(variables, program);
    return new Instance(await run.untilReady(), run, variables, program);
  }

  /** Starts an instance that listens but may be unable to become ready. */
  static async launch(variables: Variables): Promise<Instance> {
    const port = await freePort();
    const run = new Run({ ...variables, PORT: String(port) }, MAIN);
    const instance = new Instance(`http://127.0.0.1:${port}`, run, variables, MAIN);
    try {
      await eventually('the instance listens', START_TIMEOUT_MS, () =>
        instance.request('GET', '/health/live').then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
    } catch (error) {
      // The caller does not get the instance, and therefore cannot stop it.
      await instance.kill();
      throw error;
    }
    return instance;
  }

  /** Waits until the instance reports that it is ready. */
  async untilReady(): Promise<void> {
    await this.run.untilReady();
  }

  output(): string {
    return this.earlierOutput + this.run.output;
  }

  /** Waits until all lines logged so far have arrived. */
  async logged(): Promise<void> {
    const { body } = await this.request('GET', '/a-mark-in-the-log');
    const mark = String(body['requestId']);
    await eventually('the log has arrived', 5000, () =>
      Promise.resolve(this.output().includes(mark)),
    );
  }

  /** The audit events of one type. */
  async audited(type: string): Promise<Record<string, unknown>[]> {
    await this.logged();
    return auditEvents(this.output()).filter((event) => event['type'] === type);
  }

  get pid(): number | undefined {
    return this.run.pid;
  }

  get hasEnded(): boolean {
    return this.run.isEnded;
  }

  /** The exit code of the process after it has exited or was stopped with SIGTERM. */
  get exitCode(): number | null {
    return this.run.exitCode;
  }

  /** Pauses the process (SIGSTOP), as a debugger or an overloaded host does. */
  pause(): void {
    this.isPaused = true;
    this.disturbedUntil = Infinity;
    this.run.signal('SIGSTOP');
  }

  resume(): void {
    if (this.isPaused) {
      this.isPaused = false;
      this.disturbedUntil = performance.now();
    }
    this.run.signal('SIGCONT');
  }

  /** Sends SIGHUP: an instance with several workers restarts them. */
  hangUp(): void {
    this.run.signal('SIGHUP');
  }

  /** Kills the process, to simulate a crash. */
  async kill(): Promise<void> {
    this.disturbedUntil = Infinity;
    await this.run.end('SIGKILL');
  }

  /** Stops the process, as an operator does. */
  async stop(): Promise<void> {
    this.resume();
    this.disturbedUntil = Infinity;
    await this.run.end('SIGTERM');
  }

  /** Restarts the process, at the same address. */
  async restart(): Promise<void> {
    this.earlierOutput += this.run.output;
    this.run = new Run({ ...this.variables, PORT: new URL(this.url).port }, this.program);
    await this.run.untilReady();
    this.disturbedUntil = performance.now();
  }
}

/** One run of the process. */
class Run {
  output = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  isEnded = false;

  constructor(variables: Variables, program: string) {
    const child = spawn(process.execPath, [program], {
      cwd: tmpdir(), // without .env
      env: { PATH: process.env['PATH'], ...testVariables(variables) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.child = child;
    this.ended = new Promise((done) => child.once('close', () => done()));
    const kill = async (): Promise<void> => this.end('SIGKILL');
    running.add(kill);
    void this.ended.then(() => {
      this.isEnded = true;
      running.delete(kill);
    });
  }

  /** @returns the printed address */
  async untilReady(): Promise<string> {
    const found = (): string | undefined => READY.exec(this.output)?.[1];
    const printed = new Promise<void>((done) => {
      this.child.stdout?.on('data', () => (found() === undefined ? undefined : done()));
    });
    const failure = await within(
      'ready instance',
      START_TIMEOUT_MS,
      Promise.race([printed, this.ended]),
    ).catch(({ message }: Error) => message);
    const url = found();
    if (url === undefined) {
      throw new Error(`the instance did not start: ${failure ?? 'it ended'}\n${this.output}`);
    }
    return url;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  signal(name: NodeJS.Signals): void {
    if (!this.isEnded) {
      this.child.kill(name);
    }
  }

  async end(name: NodeJS.Signals): Promise<void> {
    this.signal(name);
    try {
      await within(`exit of the instance after ${name}`, STOP_TIMEOUT_MS, this.ended);
    } catch (error) {
      this.signal('SIGKILL');
      throw error;
    }
  }
}

function auditEvents(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { audit?: Record<string, unknown> })
    .flatMap(({ audit }) => (audit ? [audit] : []));
}
