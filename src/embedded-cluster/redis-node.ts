import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

import { withTimeout } from '../common/deadline/index.js';
import { makeDirectory } from '../common/files/index.js';
import { Secret } from '../common/secret/index.js';
import { EmbeddedClusterError } from './embedded-cluster.error.js';

/** A failover starts when a master is silent for this time. */
export const NODE_TIMEOUT_MS = 2000;
const POLL_MS = 25;
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 6000;
const COMMAND_TIMEOUT_MS = 5000;

export interface RedisNodeOptions {
  /** Additional lines of redis.conf, for every node. Default none. */
  readonly configuration?: readonly string[];
  /**
   * ACL users of every node, instead of one shared password: the lines of the ACL file, the user for our control connection,
   * and the user for replication. The password of the administrator is that of the cluster.
   */
  readonly users?: {
    readonly lines: (password: Secret) => readonly string[];
    readonly administrator: string;
    readonly replica: { readonly username: string; readonly password: Secret };
  };
  /** TLS for clients, replication and the cluster bus. PEM files with a certificate for 127.0.0.1. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** Why a node did not start. */
interface StartFailure {
  readonly text: string;
  /** Of the operating system, when the program could not be run. */
  readonly code?: string | undefined;
}

/** One redis-server process on loopback, with a control connection. */
export class RedisNode {
  private process: ChildProcess | undefined;
  private control: Redis | undefined;
  private readyAt: number | undefined;
  /** Called when the process exits unexpectedly after it was ready. */
  onUnexpectedExit: (uptimeMs: number) => void = () => undefined;

  constructor(
    readonly port: number,
    readonly folder: string,
    private readonly password: string,
    private readonly options: RedisNodeOptions = {},
  ) {}

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Whether the folder has both the cluster configuration and the data of the node. */
  get isMember(): boolean {
    return ['nodes.conf', 'appendonlydir'].every((name) => existsSync(join(this.folder, name)));
  }

  /** Deletes the cluster configuration. Without its data, the node must not rejoin under its old identity. */
  forgetMembership(): void {
    rmSync(join(this.folder, 'nodes.conf'), { force: true });
  }

  get isRunning(): boolean {
    return this.process !== undefined;
  }

  async start(): Promise<void> {
    makeDirectory(this.folder, 0o700);
    const configuration = join(this.folder, 'redis.conf');
    writeFileSync(configuration, this.configuration(), { mode: 0o600 });
    this.writeUsers();
    // A separate process group, so that Ctrl-C reaches only the application, which drains before it stops the nodes.
    // Without our environment, because it contains secrets.
    const child = spawn('redis-server', [configuration], {
      detached: true,
      stdio: 'ignore',
      env: { PATH: process.env['PATH'] },
    });
    this.process = child;
    const ended = new Promise<StartFailure>((resolve) => {
      child.once('error', ({ message, code }: NodeJS.ErrnoException) =>
        resolve({ text: message, code }),
      );
      child.once('exit', (code, signal) =>
        resolve({ text: `ended with ${signal ?? `code ${code}`}` }),
      );
    });
    void ended.then(() => this.handleExit(child));
    this.readyAt = undefined;
    await this.untilReady(ended);
    this.readyAt = performance.now();
  }

  /** Sends a command to this node. A replica that copies its master refuses commands while it loads the copy: waits for that. */
  async call(command: string, ...args: (string | number)[]): Promise<string> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      if (!this.control) {
        throw new Error(`the node on port ${this.port} is not connected`);
      }
      try {
        return String(await this.control.call(command, ...args));
      } catch (error) {
        if (!(error as Error).message.startsWith('LOADING ') || performance.now() > deadline) {
          throw error;
        }
        await delay(POLL_MS);
      }
    }
  }

  /** Stops the process after it has written its data, and kills it after a timeout. */
  async stop(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    this.control?.disconnect();
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await withTimeout(STOP_TIMEOUT_MS, ended).catch(() => child.kill('SIGKILL'));
    await ended;
  }

  /** For the exit handler of our process, which cannot wait. */
  signalStop(): void {
    this.process?.kill('SIGTERM');
  }

  private handleExit(child: ChildProcess): void {
    if (this.process === child) {
      this.process = undefined;
      this.control?.disconnect();
      this.control = undefined;
      // Before the node is ready, `start` reports the failure.
      if (this.readyAt !== undefined) {
        this.onUnexpectedExit(performance.now() - this.readyAt);
      }
    }
  }

  private async untilReady(ended: Promise<StartFailure>): Promise<void> {
    const control = new Redis({
      host: '127.0.0.1',
      port: this.port,
      ...(this.options.users ? { username: this.options.users.administrator } : {}),
      password: this.password,
      ...(this.options.tls ? { tls: { ca: readFileSync(this.options.tls.ca) } } : {}),
      retryStrategy: () => 25,
      maxRetriesPerRequest: null,
      commandTimeout: COMMAND_TIMEOUT_MS,
    });
    control.on('error', () => undefined);
    this.control = control;
    const ready = new Promise<void>((resolve) => control.once('ready', () => resolve()));
    const failure = await withTimeout(START_TIMEOUT_MS, Promise.race([ready, ended])).catch(
      (): StartFailure => ({ text: `did not become ready within ${START_TIMEOUT_MS / 1000} s` }),
    );
    if (failure !== undefined) {
      control.disconnect();
      throw new EmbeddedClusterError(this.describe(failure));
    }
  }

  private describe({ text, code }: StartFailure): string {
    if (code === 'ENOENT') {
      return 'redis-server was not found. Install Redis 7 or later, or set REDIS_NODES to a running cluster.';
    }
    const log = join(this.folder, 'redis.log');
    const lastLines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-5) : [];
    return [
      `The Redis node on port ${this.port} ${text}. Its last log lines:`,
      ...lastLines.map((line) => `  ${line}`),
      `If its data is damaged, move ${this.folder} away and start again. The node then copies its data from the other node of its shard.`,
      'To start with an empty cluster, move the whole data folder away.',
    ].join('\n');
  }

  private configuration(): string {
    return [
      ...this.portConfiguration(),
      'bind 127.0.0.1',
      'protected-mode yes',
      'daemonize no',
      `dir "${this.folder}"`,
      'logfile "redis.log"',
      ...this.accessConfiguration(),
      'cluster-enabled yes',
      'cluster-config-file nodes.conf',
      `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
      // A failed shard must not stop the others.
      'cluster-require-full-coverage no',
      'cluster-allow-reads-when-down no',
      // A spare replica moves to a master that has lost its own.
      'cluster-allow-replica-migration yes',
      'cluster-migration-barrier 1',
      // Without min-replicas-to-write: a master that has lost its replica takes writes, which the other masters confirm.
      // Time for replicas to catch up when their master stops.
      'shutdown-timeout 3',
      'repl-diskless-sync yes',
      'repl-diskless-sync-delay 0',
      // A crash of the machine can lose the last one or two seconds. A killed node is restarted only after its replica has
      // taken over, so that it cannot become master again with older data.
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
      ...(this.options.configuration ?? []),
      '',
    ].join('\n');
  }

  private get usersFile(): string {
    return join(this.folder, 'users.acl');
  }

  private writeUsers(): void {
    const { users } = this.options;
    if (users) {
      const lines = users.lines(new Secret(this.password));
      writeFileSync(this.usersFile, `${lines.join('\n')}\n`, { mode: 0o600 });
    }
  }

  private accessConfiguration(): string[] {
    const { users } = this.options;
    if (!users) {
      return [`requirepass ${this.password}`, `masterauth ${this.password}`];
    }
    return [
      `aclfile "${this.usersFile}"`,
      `masteruser ${users.replica.username}`,
      `masterauth ${users.replica.password.reveal()}`,
    ];
  }

  private portConfiguration(): string[] {
    const { tls } = this.options;
    if (!tls) {
      return [`port ${this.port}`];
    }
    return [
      'port 0',
      `tls-port ${this.port}`,
      `tls-cert-file "${tls.cert}"`,
      `tls-key-file "${tls.key}"`,
      `tls-ca-cert-file "${tls.ca}"`,
      'tls-auth-clients no',
      'tls-cluster yes',
      'tls-replication yes',
    ];
  }
}
