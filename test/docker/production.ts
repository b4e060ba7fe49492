import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { parse } from 'yaml';

import { findFreePorts } from '../../src/embedded-cluster/ports.js';
import { endProcess } from '../support/end-process.js';
import { freePort } from '../support/free-port.js';
import { Instance } from '../support/instance.js';
import { eventually } from '../support/own-cluster.js';
import { running } from '../support/running.js';

const run = promisify(execFile);
const DOCKER = resolve('docker');
const SECRETS = '/run/secrets';
/** No other tests use ports from here on. */
const FIRST_REDIS_PORT = 20_700;
const START_MS = 30_000;
const COMMAND_MS = 5000;

interface ComposeFile {
  readonly 'x-keyslot': { readonly environment: Record<string, string> };
  readonly services: Record<string, { readonly environment: Record<string, string> }>;
}

/**
 * The setup of docker/compose.production.yaml on loopback: nginx and seven Redis nodes with the files of docker/, secrets
 * from the real script, and two instances with the environment of their services. Only addresses and paths differ.
 */
export class Production {
  readonly folder = mkdtempSync(join(tmpdir(), 'keyslot-docker-'));
  readonly secrets = join(this.folder, 'secrets');
  redisPorts: readonly number[] = [];
  instances: readonly Instance[] = [];
  managementPorts: readonly number[] = [];
  /** An instance that cannot reach Redis. */
  cutOff: Instance | undefined;
  private readonly compose = parse(readFileSync(join(DOCKER, 'compose.production.yaml'), 'utf8'), {
    merge: true,
  }) as ComposeFile;
  private readonly added = parse(readFileSync(join(DOCKER, 'compose.services.yaml'), 'utf8'), {
    merge: true,
  }) as Pick<ComposeFile, 'services'>;
  private readonly children: ChildProcess[] = [];
  private readonly connections = new Map<number, Redis>();
  private readonly nodes = new Map<number, { readonly file: string; process: ChildProcess }>();

  private constructor() {
    running.add(this.stop);
  }

  /** Starts everything, including an instance that cannot reach Redis. */
  static async start(): Promise<Production> {
    return Production.startWith(async (production) => production.startInstances());
  }

  /**
   * Starts Redis and two instances with additional variables.
   *
   * @param changeUsers edits the ACL file before the nodes read it. Default: no change
   */
  static async startRedisAndInstances(
    variables: Record<string, string>,
    changeUsers: (lines: string) => string = (lines) => lines,
  ): Promise<Production> {
    return Production.startWith(async (production) => {
      production.instances = await Promise.all(
        [1, 2].map(async () => Instance.start({ ...production.variables(0), ...variables })),
      );
    }, changeUsers);
  }

  private static async startWith(
    startInstances: (production: Production) => Promise<void>,
    changeUsers: (lines: string) => string = (lines) => lines,
  ): Promise<Production> {
    const production = new Production();
    try {
      await production.makeSecrets();
      const users = join(production.secrets, 'redis-users');
      writeFileSync(users, changeUsers(readFileSync(users, 'utf8')));
      await production.startRedis();
      await startInstances(production);
    } catch (error) {
      await production.stop();
      throw error;
    }
    return production;
  }

  readonly stop = async (): Promise<void> => {
    running.delete(this.stop);
    await Promise.all([...this.instances, this.cutOff].map(async (instance) => instance?.stop()));
    // Includes processes that were starting when another start failed.
    await Promise.all([...running].map(async (end) => end()));
    this.connections.forEach((connection) => connection.disconnect());
    // A node that writes its first append-only file refuses SIGTERM.
    await Promise.all(
      [...this.nodes.values()].map(async (node) => endProcess(node.process, 'SIGKILL')),
    );
    await Promise.all(this.children.map(async (child) => endProcess(child, 'SIGTERM')));
    rmSync(this.folder, { recursive: true, force: true });
  };

  secret(name: string): string {
    return readFileSync(join(this.secrets, name), 'utf8');
  }

  /** Runs the script of docker/ with this Node version instead of the one in the image. */
  async makeSecrets(): Promise<void> {
    await run(join(DOCKER, 'make-secrets.sh'), [this.secrets], {
      env: {
        PATH: process.env['PATH'],
        KEYSLOT: process.execPath,
        ADDRESSES: '127.0.0.1',
        NAME: 'localhost',
        SERVICES: 'orders',
      },
      timeout: START_MS,
    });
  }

  /** All secrets, by file name. */
  allSecrets(): Record<string, string> {
    return Object.fromEntries(readdirSync(this.secrets).map((name) => [name, this.secret(name)]));
  }

  /** The output of redis-cli, as the user with the password in the secret, or without authentication. */
  async redis(port: number, user: string | undefined, ...command: string[]): Promise<string> {
    const password = user === undefined ? undefined : this.secret(`redis-${user}-password`).trim();
    const { stdout } = await run(
      'redis-cli',
      [
        '-p',
        String(port),
        '--tls',
        '--cacert',
        join(this.secrets, 'redis-ca'),
        ...(user === undefined ? [] : ['--user', user]),
        ...command,
      ],
      { env: { PATH: process.env['PATH'], REDISCLI_AUTH: password }, timeout: START_MS },
    );
    return stdout;
  }

  /** Starts a service of compose.services.yaml with the environment of that file, and waits until it answers. */
  async startService(name: string, program: string, args: readonly string[]): Promise<Service> {
    const port = await freePort();
    const variables = {
      ...this.onLoopback(this.added.services[name]!.environment),
      HOST: '127.0.0.1',
      PORT: String(port),
    };
    const child = this.spawn(program, args, variables);
    const url = `http://127.0.0.1:${port}`;
    await untilItAnswers(name, url);
    return { url, stop: async () => endProcess(child, 'SIGTERM') };
  }

  /**
   * @param services the services of compose.services.yaml
   * @returns the address of an nginx in front of these instances, and a function that reads its log
   */
  async startNginx(
    instances: readonly { readonly url: string }[],
    services?: { readonly orders: Service; readonly reports: Service },
  ): Promise<Nginx> {
    const folder = mkdtempSync(join(this.folder, 'nginx-'));
    if (services) {
      mkdirSync(join(folder, 'services'));
      this.render('nginx/services.conf', join(folder, 'services'), {
        'http://172.30.1.21:8080': services.orders.url,
        'http://172.30.1.22:8080': services.reports.url,
      });
    }
    const port = await freePort();
    const [first, second] = instances.map(({ url }) => new URL(url).host);
    const file = this.render('nginx/nginx.conf', folder, {
      // First, because the other replacements add such paths.
      '/tmp/': `${folder}/`,
      'listen 8443': `listen 127.0.0.1:${port}`,
      '172.30.1.11:3000': first!,
      '172.30.1.12:3000': second!,
      '/etc/nginx/services/': `${folder}/services/`,
      '/dev/stdout': join(folder, 'access.log'),
      '/dev/stderr': join(folder, 'error.log'),
    });
    // As root, nginx would run its workers as a user who cannot read the folder.
    const user = process.getuid?.() === 0 ? ['-g', 'user root;'] : [];
    const errorLog = join(folder, 'error.log');
    const child = this.spawn(process.env['NGINX']!, ['-e', errorLog, '-c', file, ...user]);
    const workers = (): string[] =>
      readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
    const reload = async (change: (text: string) => string): Promise<void> => {
      const before = workers();
      writeFileSync(file, change(readFileSync(file, 'utf8')));
      child.kill('SIGHUP');
      await eventually('the workers have been replaced', START_MS, () =>
        Promise.resolve(workers().every((worker) => !before.includes(worker))),
      );
    };
    const errors = (): string => readFileSync(errorLog, 'utf8');
    await untilItAnswers('nginx', `http://127.0.0.1:${port}`);
    return {
      url: `https://localhost:${port}`,
      errors,
      takeOut: async ({ url }) =>
        reload((text) => text.replace(`server ${new URL(url).host}`, '$& down')),
      putBack: async () => reload((text) => text.replace(' down ', ' ')),
      answers: () =>
        readFileSync(join(folder, 'access.log'), 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as NginxAnswer),
    };
  }

  private async startRedis(): Promise<void> {
    const firstPort = (await findFreePorts(FIRST_REDIS_PORT))!;
    const { NODES } = this.compose.services['redis-cluster']!.environment;
    this.redisPorts = NODES!.split(' ').map((_, index) => firstPort + index);
    for (const port of this.redisPorts) {
      const folder = join(this.folder, `redis-${port}`);
      mkdirSync(folder);
      const file = this.render('redis/redis.conf', folder, {
        'tls-port 6379': `bind 127.0.0.1\ntls-port ${port}`,
        '/data': folder,
      });
      this.nodes.set(port, { file, process: this.spawn('redis-server', [file]) });
    }
    await this.untilNodesAnswer();
    await this.createCluster();
    await this.untilRedisIsWhole();
  }

  /** Each master with its replicas. */
  async shards(): Promise<{ readonly master: number; readonly replicas: number[] }[]> {
    const infos = await this.onEveryNode('info', 'replication');
    const masters = infos.map((info) => Number(/master_port:(\d+)/.exec(info)?.[1]));
    return this.redisPorts
      .filter((_, index) => Number.isNaN(masters[index]))
      .map((master) => ({
        master,
        replicas: this.redisPorts.filter((_, index) => masters[index] === master),
      }));
  }

  /**
   * Stops these nodes and starts them again at once, like the compose file. Returns when they have loaded their data, and
   * the replicas have copied it.
   */
  async restartNodes(ports: readonly number[], signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (signal === 'SIGTERM') {
      // A replica refuses it while it writes the copied data to its disk.
      await this.untilFilesAreWritten();
    }
    const nodes = ports.map((port) => this.nodes.get(port)!);
    await Promise.all(nodes.map(async (node) => endProcess(node.process, signal)));
    for (const node of nodes) {
      node.process = this.spawn('redis-server', [node.file]);
    }
    await this.untilRedisIsWhole();
  }

  /** Kills a node. @returns a function that starts it again, and waits like `restartNodes` */
  async killNode(port: number): Promise<() => Promise<void>> {
    const node = this.nodes.get(port)!;
    await endProcess(node.process, 'SIGKILL');
    return async () => {
      node.process = this.spawn('redis-server', [node.file]);
      await this.untilRedisIsWhole();
    };
  }

  /** Makes each node take this long to write its append-only file, until it restarts. */
  async slowDownFileWrites(ms: number): Promise<void> {
    const keyCounts = await this.onEveryNode('dbsize');
    await Promise.all(
      this.redisPorts.map(async (port, index) => {
        const microseconds = Math.ceil((ms * 1000) / Math.max(1, Number(keyCounts[index])));
        await this.connection(port).config('SET', 'rdb-key-save-delay', microseconds);
      }),
    );
  }

  /** Makes every node rewrite its append-only file, and waits for it. */
  async rewriteAppendOnlyFiles(): Promise<void> {
    await this.untilFilesAreWritten();
    await this.onEveryNode('bgrewriteaof');
    await this.untilFilesAreWritten();
  }

  private async untilFilesAreWritten(): Promise<void> {
    await eventually('the append-only files are written', START_MS, async () =>
      (await this.onEveryNode('info', 'persistence')).every(
        (info) =>
          info.includes('aof_rewrite_in_progress:0') &&
          info.includes('aof_rewrite_scheduled:0') &&
          info.includes('aof_last_bgrewrite_status:ok'),
      ),
    );
  }

  /** Runs a command on every node as administrator. @returns the replies */
  async onEveryNode(command: string, ...args: string[]): Promise<string[]> {
    return Promise.all(
      this.redisPorts.map(async (port) =>
        String(await this.connection(port).call(command, ...args)),
      ),
    );
  }

  /** The credentials of the administrator. */
  get administrator(): { username: string; password: string; tls: { ca: string } } {
    const password = this.secret('redis-admin-password').trim();
    return { username: 'admin', password, tls: { ca: this.secret('redis-ca') } };
  }

  private connection(port: number): Redis {
    let connection = this.connections.get(port);
    if (!connection) {
      connection = new Redis({
        ...this.administrator,
        host: '127.0.0.1',
        port,
        retryStrategy: () => 25,
        commandTimeout: COMMAND_MS,
      });
      connection.on('error', () => undefined);
      this.connections.set(port, connection);
    }
    return connection;
  }

  private async untilNodesAnswer(): Promise<void> {
    await eventually('the nodes answer', START_MS, async () => {
      const answers = this.redisPorts.map(async (port) =>
        this.redis(port, undefined, 'ping').catch(() => ''),
      );
      return (await Promise.all(answers)).every((answer) => answer.includes('NOAUTH'));
    });
  }

  private async untilRedisIsWhole(): Promise<void> {
    await eventually('the cluster is whole', START_MS, async () => {
      const [infos, clusters] = await Promise.all([
        this.onEveryNode('info', 'replication').catch(() => ['']),
        this.onEveryNode('cluster', 'info').catch(() => ['']),
      ]);
      return (
        infos.every((info) => /slave0:.*state=online|master_link_status:up/.test(info)) &&
        clusters.every((info) => info.includes('cluster_state:ok'))
      );
    });
  }

  /** Runs the script of docker/ with the environment of its service. */
  async createCluster(): Promise<string> {
    const { environment } = this.compose.services['redis-cluster']!;
    const { stdout } = await run('sh', [join(DOCKER, 'redis/create-cluster.sh')], {
      env: { PATH: process.env['PATH'], ...this.onLoopback(environment) },
      timeout: START_MS,
    });
    return stdout;
  }

  private async startInstances(): Promise<void> {
    this.managementPorts = [await freePort(), await freePort()];
    const started = this.managementPorts.map(async (port) => Instance.start(this.variables(port)));
    const cutOff = Instance.launch({ ...this.variables(0), REDIS_NODES: '127.0.0.1:1' });
    this.instances = await Promise.all(started);
    this.cutOff = await cutOff;
  }

  /** The variables of the image and the compose file. Empty values unset variables of other tests. */
  private variables(managementPort: number): Record<string, string> {
    return {
      ...this.onLoopback(this.compose['x-keyslot'].environment),
      REDIS_PASSWORD: '',
      KEY_ENCRYPTION_SECRET: '',
      REDIS_KEY_PREFIX: '',
      JWT_ISSUER: 'https://localhost',
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      DATA_DIRECTORY: '/nobody/may/write',
      MANAGEMENT_PORT: String(managementPort),
    };
  }

  private onLoopback(environment: Record<string, string>): Record<string, string> {
    const rendered = Object.entries(environment).map(([name, value]): [string, string] => [
      name,
      value
        .replace(/^\$\{\w+:-(.*)\}$/, '$1')
        .replaceAll(SECRETS, this.secrets)
        .replace(/172\.30\.2\.1(\d):6379/g, (_, node) => `127.0.0.1:${this.redisPorts[node - 1]}`)
        .replace(/172\.30\.1\.\d+/g, '127.0.0.1'),
    ]);
    return Object.fromEntries(rendered);
  }

  private render(name: string, folder: string, texts: Record<string, string>): string {
    let text = readFileSync(join(DOCKER, name), 'utf8');
    for (const [from, to] of Object.entries({ ...texts, [SECRETS]: this.secrets })) {
      if (!text.includes(from) && from !== SECRETS) {
        throw new Error(`docker/${name} does not say "${from}" any more`);
      }
      text = text.replaceAll(from, to);
    }
    const file = join(folder, basename(name));
    writeFileSync(file, text);
    return file;
  }

  private spawn(
    program: string,
    args: readonly string[],
    variables: Record<string, string> = {},
  ): ChildProcess {
    const env = { PATH: process.env['PATH'], ...variables };
    const child = spawn(program, args, { stdio: 'ignore', env });
    this.children.push(child);
    return child;
  }
}

async function untilItAnswers(name: string, url: string): Promise<void> {
  await eventually(`${name} is there`, START_MS, () =>
    fetch(url).then(
      () => true,
      () => false,
    ),
  );
}

export interface Service {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export interface Nginx {
  readonly url: string;
  readonly errors: () => string;
  /** Drains an instance, as before an upgrade. Afterwards it has no pending requests. */
  readonly takeOut: (instance: { readonly url: string }) => Promise<void>;
  readonly putBack: () => Promise<void>;
  readonly answers: () => NginxAnswer[];
}

export interface NginxAnswer {
  readonly requestId: string;
  readonly method: string;
  readonly status: number;
  readonly ip: string;
  /** The instances that nginx tried, in order. */
  readonly instance: string;
}
