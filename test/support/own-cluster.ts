import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Secret } from '../../src/common/secret/index.js';
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded-cluster/index.js';
import type { RedisNodeOptions } from '../../src/embedded-cluster/redis-node.js';
import {
  REDIS_ADMINISTRATOR,
  aclFileLine,
  aclFileLines,
  REDIS_REPLICA,
} from '../../src/redis-cluster/index.js';
import { running } from './running.js';
import { notWithin, within } from './within.js';

/** The Redis user of the applications on a test's own cluster. It has minimum permissions, as on the shared cluster (94). */
const USER = {
  username: 'keyslot-tests',
  password: new Secret(randomBytes(24).toString('base64url')),
  keyPrefix: 't-',
};

/** The user of replicas for their masters. */
const REPLICA_PASSWORD = new Secret(randomBytes(24).toString('base64url'));

/** The users that docker/make-secrets.sh creates and docs/operations/redis-users.md describes: `default` is off. */
const SHIPPED_USERS: NonNullable<RedisNodeOptions['users']> = {
  lines: (administratorPassword) =>
    aclFileLines({ application: USER, administratorPassword, replicaPassword: REPLICA_PASSWORD }),
  administrator: REDIS_ADMINISTRATOR,
  replica: { username: REDIS_REPLICA, password: REPLICA_PASSWORD },
};

const RECOVERY_TIMEOUT_MS = 60_000;

export interface OwnCluster {
  readonly cluster: EmbeddedCluster;
  readonly directory: string;
  /** The additional options of nodes that a test adds. */
  readonly nodeOptions: RedisNodeOptions;
  /** The user with the password of the cluster. */
  readonly administrator: string;
  /** Variables for startTestApp, to use this cluster instead of the shared one. */
  readonly variables: { REDIS_NODES: string; REDIS_USERNAME: string; REDIS_PASSWORD: string };
  /** The ports of the current masters. */
  masters(): Promise<number[]>;
  /** The port of the replica of the master, or of its first replica. */
  replicaOf(master: number): Promise<number>;
  /** The ports of the running replicas of the master. */
  replicasOf(master: number): Promise<number[]>;
  signal(port: number, signal: NodeJS.Signals): void;
  /** Waits until every node runs, each of three masters has a synced replica, and every replica is synced. */
  untilWhole(): Promise<void>;
  /** Adds ACL rules to the applications' user, on every node. */
  changeUser(...rules: string[]): Promise<void>;
  /** Restores the original rules of the applications' user. */
  restoreUser(): Promise<void>;
  /** The commands that running nodes have denied, from ACL LOG. */
  refused(): Promise<string[]>;
  /** Stops the nodes and removes their data. @throws if a node has denied a command */
  remove(): Promise<void>;
  /** Like remove(), for a test that expects denied commands. */
  removeDespiteRefusals(): Promise<void>;
}

export interface OwnClusterOptions extends Partial<EmbeddedClusterOptions> {
  /**
   * Uses the user `default` with a password, like the cluster of `npm start`, instead of the shipped users. Default
   * false.
   */
  readonly hasOnePassword?: boolean;
}

/** Starts a cluster for a test that damages it. */
export async function startOwnCluster({
  hasOnePassword = false,
  ...options
}: OwnClusterOptions = {}): Promise<OwnCluster> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'keyslot-own-'));
  const nodeOptions: RedisNodeOptions = hasOnePassword
    ? { configuration: [aclFileLine(USER)] }
    : { users: SHIPPED_USERS };
  const cluster = await EmbeddedCluster.start({
    directory,
    // Concurrent test files must search for ports in different ranges.
    firstPort: 14_000 + 100 * Number(process.env['JEST_WORKER_ID'] ?? 0),
    restartNodes: 'never',
    ...nodeOptions,
    ...options,
  });
  const ports = cluster.addresses.map(({ port }) => port);
  /** The ports of running nodes whose replication state contains the text. */
  const having = async (text: string): Promise<number[]> => {
    const alive = [...cluster.pids.keys()];
    const states = await Promise.all(
      alive.map(async (port) => cluster.call(port, 'INFO', 'replication')),
    );
    return alive.filter((_, index) => states[index]!.includes(text));
  };
  const replicasOf = async (master: number): Promise<number[]> => having(`master_port:${master}`);
  const refused = async (): Promise<string[]> => {
    const logs = [...cluster.pids.keys()].map((port) => cluster.call(port, 'ACL', 'LOG'));
    return (await Promise.all(logs)).filter((log) => log !== '');
  };
  const changeUser = async (...rules: string[]): Promise<void> => {
    await Promise.all(
      ports.map((port) => cluster.call(port, 'ACL', 'SETUSER', USER.username, ...rules)),
    );
  };
  const wake = (): void => cluster.pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
  const stop = async (): Promise<void> => {
    wake();
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
    running.delete(stop);
  };
  running.add(stop);
  return {
    cluster,
    directory,
    nodeOptions,
    administrator: hasOnePassword ? 'default' : REDIS_ADMINISTRATOR,
    refused,
    changeUser,
    restoreUser: async () => changeUser('reset', ...aclFileLine(USER).split(' ').slice(2)),
    variables: {
      REDIS_NODES: cluster.addresses.map(({ host, port }) => `${host}:${port}`).join(','),
      REDIS_USERNAME: USER.username,
      REDIS_PASSWORD: USER.password.reveal(),
    },
    masters: async () => having('role:master'),
    replicaOf: async (master) => (await replicasOf(master))[0]!,
    replicasOf,
    signal: (port, signal) => process.kill(cluster.pids.get(port)!, signal),
    untilWhole: async () => untilWhole(cluster),
    removeDespiteRefusals: stop,
    remove: async () => {
      wake();
      let refusals: string[];
      try {
        refusals = await refused();
      } finally {
        await stop();
      }
      if (refusals.length > 0) {
        throw new Error(
          `Redis refused a command (see src/redis-cluster/acl.ts): ${refusals.join()}`,
        );
      }
    },
  };
}

async function untilWhole(cluster: EmbeddedCluster): Promise<void> {
  await eventually('the cluster is whole', RECOVERY_TIMEOUT_MS, async () => {
    // A node that was just killed does not answer.
    const answers = await Promise.all(
      cluster.addresses.map(async ({ port }) =>
        cluster.call(port, 'INFO', 'replication').catch(() => ''),
      ),
    );
    const masters = answers.filter((info) => info.includes('role:master'));
    const replicas = answers.filter((info) => info.includes('master_link_status:up'));
    const areServed = masters.every((info) => /slave\d+:.*state=online/.test(info));
    return masters.length === 3 && replicas.length === answers.length - 3 && areServed;
  });
}

/** Waits for a condition. Fails the test if it does not become true in time. */
export async function eventually(
  what: string,
  timeoutMs: number,
  isTrue: () => Promise<boolean>,
): Promise<number> {
  const begin = performance.now();
  const untilTrue = async (): Promise<number> => {
    while (!(await isTrue())) {
      if (performance.now() - begin > timeoutMs) {
        throw notWithin(what, timeoutMs);
      }
      await delay(20);
    }
    return performance.now() - begin;
  };
  // The condition itself may never settle.
  return within(what, timeoutMs, untilTrue());
}
