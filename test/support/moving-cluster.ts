import { Redis } from 'ioredis';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { endProcess } from './end-process.js';
import { eventually } from './own-cluster.js';
import { running } from './running.js';

const SERVES = /cluster_state:ok[^]*cluster_slots_ok:16384/;
const NODES = [0, 1, 2, 3, 4, 5];
const NODE_TIMEOUT_MS = 1000;
const START_TIMEOUT_MS = 20_000;
const RECOVERY_TIMEOUT_MS = 30_000;

/**
 * Six nodes on one port, each with its own loopback address. A node can move to another address like a pod in
 * Kubernetes: it is stopped, and started again with the same data elsewhere.
 */
export class MovingCluster {
  private readonly directory = mkdtempSync(join(tmpdir(), 'keyslot-moving-'));
  private readonly processes = new Map<number, ChildProcess>();
  /** The third byte of the address of each node. */
  private readonly places = NODES.map(() => 1);

  private constructor(readonly port: number) {}

  static async start(): Promise<MovingCluster> {
    const cluster = new MovingCluster(17_000 + Number(process.env['JEST_WORKER_ID'] ?? 0));
    const stop = async (): Promise<void> => cluster.remove();
    running.add(stop);
    await Promise.all(NODES.map(async (node) => cluster.startNode(node)));
    const addresses = NODES.map((node) => `${cluster.hostOf(node)}:${cluster.port}`);
    const create = [
      '--cluster',
      'create',
      ...addresses,
      '--cluster-replicas',
      '1',
      '--cluster-yes',
    ];
    await promisify(execFile)('redis-cli', create, { timeout: START_TIMEOUT_MS });
    await cluster.untilWhole();
    return cluster;
  }

  hostOf(node: number): string {
    return `127.0.${this.places[node]}.${node + 1}`;
  }

  get hosts(): string[] {
    return NODES.map((node) => this.hostOf(node));
  }

  /** The indexes of the current masters. */
  async masters(): Promise<number[]> {
    const infos = await Promise.all(NODES.map(async (node) => this.ask(node, 'INFO')));
    return NODES.filter((node) => infos[node]!.includes('role:master'));
  }

  /** Moves all nodes except one. That node gets no new addresses, and the others forget it. */
  async moveWithout(leftBehind: number, place: number): Promise<void> {
    const others = NODES.filter((node) => node !== leftBehind);
    await this.move(others, place, await this.ask(leftBehind, 'CLUSTER', 'MYID'));
    await this.until('the others serve', others, SERVES);
    await this.until('the one that was left behind serves no more', [leftBehind], /state:fail/);
  }

  /**
   * Moves nodes in parallel, and sends the moved nodes one another's new addresses, as an operator does.
   *
   * @param forgotten id of a node that the moved nodes forget
   */
  async move(nodes: readonly number[], place: number, forgotten?: string): Promise<void> {
    await Promise.all(nodes.map(async (node) => this.stopNode(node)));
    const moves = nodes.map((node) => [node, this.hostOf(node)] as const);
    nodes.forEach((node) => (this.places[node] = place));
    for (const node of nodes) {
      const file = join(this.folderOf(node), 'nodes.conf');
      const known = moves.reduce(
        (text, [moved, from]) =>
          text.replaceAll(`${from}:${this.port}`, `${this.hostOf(moved)}:${this.port}`),
        readFileSync(file, 'utf8'),
      );
      const lines = known.split('\n').filter((line) => !forgotten || !line.startsWith(forgotten));
      writeFileSync(file, lines.join('\n'));
    }
    await Promise.all(nodes.map(async (node) => this.startNode(node)));
  }

  /** Waits until every node sees three masters with a replica each, and all slots are served. */
  async untilWhole(): Promise<void> {
    await this.until('the cluster serves', NODES, SERVES);
    await eventually('every node follows the others', RECOVERY_TIMEOUT_MS, async () => {
      const views = await Promise.all(
        NODES.map(async (node) => this.ask(node, 'CLUSTER', 'NODES')),
      );
      const infos = await Promise.all(NODES.map(async (node) => this.ask(node, 'INFO')));
      return (
        views.every((view) => !/fail|handshake|disconnected/.test(view)) &&
        views.every((view) => this.hosts.every((host) => view.includes(` ${host}:`))) &&
        infos.every((info) => /role:master[^]*slave0:.*online|link_status:up/.test(info))
      );
    });
  }

  async remove(): Promise<void> {
    await Promise.all(NODES.map(async (node) => this.stopNode(node)));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** @returns the reply to one command; empty if the node does not answer */
  async ask(node: number, command: string, ...args: string[]): Promise<string> {
    const redis = new Redis({
      host: this.hostOf(node),
      port: this.port,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: null,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return String(await redis.call(command, ...args));
    } catch {
      return '';
    } finally {
      redis.disconnect();
    }
  }

  private async until(what: string, nodes: readonly number[], info: RegExp): Promise<void> {
    await eventually(what, RECOVERY_TIMEOUT_MS, async () => {
      const infos = await Promise.all(nodes.map(async (node) => this.ask(node, 'CLUSTER', 'INFO')));
      return infos.every((text) => info.test(text));
    });
  }

  private folderOf(node: number): string {
    return join(this.directory, String(node));
  }

  private async startNode(node: number): Promise<void> {
    const host = this.hostOf(node);
    mkdirSync(this.folderOf(node), { recursive: true });
    const options = {
      bind: host,
      port: this.port,
      dir: this.folderOf(node),
      logfile: 'redis.log',
      'protected-mode': 'no',
      'cluster-enabled': 'yes',
      'cluster-announce-ip': host,
      'cluster-node-timeout': NODE_TIMEOUT_MS,
      'cluster-require-full-coverage': 'no',
      'cluster-allow-replica-migration': 'no',
      'repl-diskless-sync-delay': 0,
      appendonly: 'yes',
      save: '',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.processes.set(node, spawn('redis-server', args, { stdio: 'ignore' }));
    await eventually(
      `node ${node} answers`,
      START_TIMEOUT_MS,
      async () => (await this.ask(node, 'PING')) === 'PONG',
    );
  }

  private async stopNode(node: number): Promise<void> {
    const child = this.processes.get(node);
    this.processes.delete(node);
    if (child) {
      // A replica that writes its first snapshot does not react to SIGTERM.
      await endProcess(child, 'SIGKILL');
    }
  }
}
