import { setTimeout as delay } from 'node:timers/promises';

import { Secret } from '../common/secret/index.js';
import { DataDirectory } from './data-directory.js';
import { EmbeddedClusterError } from './embedded-cluster.error.js';
import {
  formCluster,
  idOf,
  isReplaced,
  MASTERS,
  rejoinCluster,
  untilHealthy,
} from './formation.js';
import { stopLeftovers } from './leftovers.js';
import { busyPorts, findFreePorts, portsFrom } from './ports.js';
import { RedisNode, type RedisNodeOptions } from './redis-node.js';

const HEALTHY_TIMEOUT_MS = 30_000;
/** A node that exits sooner is not restarted, because it would exit again. */
const MIN_UPTIME_MS = 1000;
/** A failover takes the node timeout plus one to two seconds. After this time, none is expected. */
const FAILOVER_TIMEOUT_MS = 10_000;

export type RestartNodes = 'after-failover' | 'at-once' | 'never';

export interface EmbeddedClusterOptions extends RedisNodeOptions {
  /** Folder of data, password and logs. A later start with the same folder uses the existing data. */
  readonly directory: string;
  /** At least 1, which is the default. */
  readonly replicasPerMaster?: number;
  /** Additional replicas. A spare replica moves to a master that has lost its own. Default 0. */
  readonly spareReplicas?: number;
  /** First of consecutive ports, one for each node. Default 7000. */
  readonly firstPort?: number;
  /** When ports are busy: try higher ports (default), or fail with a message that lists them. */
  readonly whenPortsAreBusy?: 'look-further' | 'stop';
  /**
   * When a node that exited unexpectedly is restarted. Default: after its replica has taken over. With 'at-once', a node can
   * become master again with the data on its disk, which after a crash of the machine may lack writes that its replica has
   * confirmed.
   */
  readonly restartNodes?: RestartNodes;
}

/** Runs three masters and their replicas as redis-server processes on loopback, for development, tests and benchmarks. */
export class EmbeddedCluster {
  private isStopping = false;

  private constructor(
    private readonly directory: DataDirectory,
    private readonly nodes: readonly RedisNode[],
    readonly password: Secret,
    private readonly restartNodes: RestartNodes,
  ) {}

  /** @throws EmbeddedClusterError with a message for the operator */
  static async start(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
    const directory = new DataDirectory(options.directory);
    await directory.takeLock();
    try {
      return await EmbeddedCluster.startIn(directory, options);
    } catch (error) {
      directory.releaseLock();
      throw error;
    }
  }

  private static async startIn(
    directory: DataDirectory,
    options: EmbeddedClusterOptions,
  ): Promise<EmbeddedCluster> {
    const password = directory.password();
    const count = nodeCount(options);
    const previousPort = directory.lastPort;
    if (previousPort !== undefined) {
      await stopLeftovers(
        portsFrom(previousPort, count).map((port, index) => ({
          port,
          folder: directory.nodeFolder(index),
        })),
        password,
        options.users?.administrator,
      );
    }
    const firstPort = await choosePorts(options, previousPort);
    directory.lastPort = firstPort;
    const nodes = portsFrom(firstPort, count).map(
      (port, index) => new RedisNode(port, directory.nodeFolder(index), password, options),
    );
    const cluster = new EmbeddedCluster(
      directory,
      nodes,
      new Secret(password),
      options.restartNodes ?? 'after-failover',
    );
    try {
      await cluster.bringUp();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get addresses(): { host: string; port: number }[] {
    return this.nodes.map((node) => ({ host: '127.0.0.1', port: node.port }));
  }

  /** File of the password, for connections from other processes. */
  get passwordFile(): string {
    return this.directory.passwordFile;
  }

  /** Process ids of running nodes, by port. */
  get pids(): ReadonlyMap<number, number> {
    return new Map(
      this.nodes.flatMap((node) =>
        node.pid === undefined ? [] : [[node.port, node.pid] as const],
      ),
    );
  }

  /** Sends a command to one node. */
  async call(port: number, command: string, ...args: (string | number)[]): Promise<string> {
    return this.node(port).call(command, ...args);
  }

  /** Starts a node that has exited, with the data on its disk. */
  async startNode(port: number): Promise<void> {
    await this.node(port).start();
  }

  /** Stops every node after it has written its data. */
  async stop(): Promise<void> {
    this.isStopping = true;
    process.off('exit', this.signalStop);
    await Promise.all(this.nodes.map((node) => node.stop()));
    this.directory.releaseLock();
  }

  private node(port: number): RedisNode {
    const node = this.nodes.find((candidate) => candidate.port === port);
    if (!node) {
      throw new Error(`no node listens on port ${port}`);
    }
    return node;
  }

  private async bringUp(): Promise<void> {
    process.once('exit', this.signalStop);
    if (this.directory.isFormed) {
      await rejoinCluster(this.nodes);
    } else {
      this.directory.clearNodes(this.nodes.length);
      await Promise.all(this.nodes.map((node) => node.start()));
      await formCluster(this.nodes);
    }
    await untilHealthy(this.nodes, HEALTHY_TIMEOUT_MS);
    this.directory.markFormed();
    if (this.restartNodes !== 'never') {
      await Promise.all(this.nodes.map((node) => this.watch(node)));
    }
  }

  private async watch(node: RedisNode): Promise<void> {
    const id = await idOf(node);
    node.onUnexpectedExit = (uptimeMs) => {
      if (uptimeMs < MIN_UPTIME_MS) {
        log(
          `The Redis node on port ${node.port} exits right after its start. It is not restarted.`,
        );
        return;
      }
      log(`The Redis node on port ${node.port} has exited. It is being restarted.`);
      this.restart(node, id).catch((error: Error) => log(error.message));
    };
  }

  private async restart(node: RedisNode, id: string): Promise<void> {
    const deadline = performance.now() + FAILOVER_TIMEOUT_MS;
    while (
      this.restartNodes === 'after-failover' &&
      !this.isStopping &&
      performance.now() < deadline
    ) {
      const survivors = this.nodes.filter((other) => other !== node && other.isRunning);
      const seen = survivors.map(async (survivor) => isReplaced(id, survivor));
      if (await Promise.any(seen.map(rejectUnlessTrue)).catch(() => false)) {
        break;
      }
      await delay(100, undefined, { ref: false });
    }
    if (!this.isStopping) {
      await node.start();
    }
  }

  private readonly signalStop = (): void => {
    for (const node of this.nodes) {
      node.signalStop();
    }
  };
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** For Promise.any: the first node that returns true is sufficient, and a frozen node does not block. */
async function rejectUnlessTrue(answer: Promise<boolean>): Promise<boolean> {
  if (await answer) {
    return true;
  }
  throw new Error('not true');
}

function nodeCount({ replicasPerMaster = 1, spareReplicas = 0 }: EmbeddedClusterOptions): number {
  return MASTERS * (1 + replicasPerMaster) + spareReplicas;
}

async function choosePorts(
  options: EmbeddedClusterOptions,
  previousPort: number | undefined,
): Promise<number> {
  const wanted = options.firstPort ?? 7000;
  const count = nodeCount(options);
  if (options.whenPortsAreBusy === 'stop') {
    const busy = await busyPorts(wanted, count);
    if (busy.length > 0) {
      throw new EmbeddedClusterError(
        `Another program uses ports that the cluster needs: ${busy.join(', ')}. Stop that program, then try again.`,
      );
    }
    return wanted;
  }
  if (previousPort !== undefined && (await busyPorts(previousPort, count)).length === 0) {
    return previousPort;
  }
  const found = await findFreePorts(wanted, count);
  if (found === undefined) {
    throw new EmbeddedClusterError(`No ${count} consecutive free ports were found from ${wanted}.`);
  }
  return found;
}
