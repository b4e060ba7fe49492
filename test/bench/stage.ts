import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { assignSlotsToFirstMaster, loseReplicas } from './cluster-shapes.js';
import { PEERS, SEED_KEYSLOT, type PeerProgram } from './peers.js';
import { writeRequests, type LoadRequest } from './request-list.js';
import type { SeededSession, SeedOrder } from './seeded-session.js';
import { runProgram, ServerProcess, type Variables } from './server-process.js';

const FIRST_PORT = 18_000;

/** `one copy`: three masters whose replicas are lost. Each other master has one replica. */
export type ClusterShape = 'three masters' | 'one master' | 'one copy';

const CHANGE: Partial<Record<ClusterShape, (cluster: EmbeddedCluster) => Promise<void>>> = {
  'one master': assignSlotsToFirstMaster,
  'one copy': loseReplicas,
};

/** The environment of one scenario: servers and sessions on one cluster, under a separate key prefix. */
export class Stage {
  private readonly servers = new Set<ServerProcess>();
  private readonly closing = new AbortController();
  private readonly variables: Variables;
  private users = 0;
  private files = 0;

  private constructor(
    private readonly cluster: EmbeddedCluster,
    private readonly directory: string,
  ) {
    this.variables = {
      HOST: '127.0.0.1',
      PORT: '0',
      REDIS_NODES: cluster.addresses.map(({ host, port }) => `${host}:${port}`).join(','),
      REDIS_PASSWORD: cluster.password.reveal(),
      REDIS_KEY_PREFIX: `bench-${randomBytes(4).toString('hex')}:`,
      KEY_ENCRYPTION_SECRET: randomBytes(32).toString('hex'),
      JWT_ISSUER: 'https://keyslot.test',
      ALLOW_INSECURE_HTTP: 'true',
      RATE_LIMIT: 'off',
      // Longer than a scenario.
      ACCESS_TOKEN_TTL: '1h',
    };
  }

  /** Starts a new cluster, so that no data of another scenario is left. */
  static async open(directory: string, shape: ClusterShape): Promise<Stage> {
    const cluster = await EmbeddedCluster.start({
      directory: join(directory, `cluster of ${shape}`),
      firstPort: FIRST_PORT,
      restartNodes: 'never',
    });
    const stage = new Stage(cluster, directory);
    await CHANGE[shape]?.(cluster).catch(async (error: Error) => {
      await stage.close();
      throw error;
    });
    return stage;
  }

  /** Returns when the server is ready for requests. */
  async start({ name, program }: PeerProgram, variables: Variables = {}): Promise<ServerProcess> {
    const all = { ...this.variables, ...variables };
    const server = await ServerProcess.start(
      program,
      all,
      this.newFile(`${name}.log`),
      this.closing.signal,
    );
    this.servers.add(server);
    return server;
  }

  async startKeyslot(variables: Variables = {}): Promise<ServerProcess> {
    return this.start(PEERS.keyslot, variables);
  }

  /** Creates users of Keyslot with sessions that no running instance has cached. */
  async seedUsers(users: number, sessionsPerUser: number): Promise<SeededSession[]> {
    const order: SeedOrder = { users, firstUser: this.users, sessionsPerUser };
    this.users += users;
    return this.seed<SeededSession>(SEED_KEYSLOT, [JSON.stringify(order)], {});
  }

  /** @returns one header line for each session */
  async seedPeer({ program }: PeerProgram, count: number, variables: Variables): Promise<string[]> {
    return this.seed<string>(program, ['seed', String(count)], variables);
  }

  /** @returns the path of the file for wrk */
  writeRequests(requests: readonly LoadRequest[]): string {
    const file = this.newFile('requests');
    writeRequests(file, requests);
    return file;
  }

  async stop(...servers: readonly ServerProcess[]): Promise<void> {
    await Promise.all(servers.map(async (server) => server.stop()));
    servers.forEach((server) => this.servers.delete(server));
  }

  /** Stops every process, including processes that are still starting, and the cluster. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.stop(...this.servers);
    await this.cluster.stop();
  }

  private async seed<T>(program: string, args: string[], variables: Variables): Promise<T[]> {
    const file = this.newFile('seed.json');
    const all = { ...this.variables, LOG_LEVEL: 'warn', ...variables };
    await runProgram(program, [...args, file], all, this.newFile('seed.log'), this.closing.signal);
    const seeded = JSON.parse(readFileSync(file, 'utf8')) as T[];
    rmSync(file);
    return seeded;
  }

  private newFile(name: string): string {
    this.files += 1;
    return join(this.directory, `${this.variables['REDIS_KEY_PREFIX']}${this.files}-${name}`);
  }
}
