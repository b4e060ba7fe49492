import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';

import { createConnection } from './cluster-client.js';
import { SLOTS } from './cluster-nodes.js';
import { isServing } from './cluster-view.js';
import { ConnectionSecrets } from './connection-secrets.js';
import { isReplicaError, isRefusal, isWithoutCluster, redacted } from './error-replies.js';
import { REDIS_CLUSTER_OPTIONS } from './redis-cluster.module-definition.js';
import { REDIS_CLUSTER_DEFAULTS, type RedisClusterOptions } from './redis-cluster.options.js';
import { resolveBySystem, resolveSeeds, type Seed } from './seeds.js';

/** The reply of CLUSTER SLOTS: ranges, each with its master and its replicas that are up. */
type SlotsReply = readonly (readonly [
  first: number,
  last: number,
  master: SlotsNode,
  ...replicas: SlotsNode[],
])[];
type SlotsNode = readonly [host: string | null, port: number, id: string];

interface NodeAnswer {
  readonly info: string;
  readonly slots: SlotsReply;
}

/**
 * Finds out why an instance cannot use the cluster. It opens its own connections, because the client reports only that it is
 * not connected.
 */
@Injectable()
export class RedisDiagnosis {
  private readonly secrets: ConnectionSecrets;

  constructor(@Inject(REDIS_CLUSTER_OPTIONS) private readonly options: RedisClusterOptions) {
    this.secrets = new ConnectionSecrets(options);
  }

  /** @returns one sentence for the operator for each problem; an empty list when nothing was found */
  async problems(): Promise<string[]> {
    await this.secrets.renew();
    const found: string[] = [];
    const resolve = this.options.resolveHost ?? resolveBySystem;
    const seeds = await resolveSeeds(this.options.nodes, resolve, (host, error) =>
      found.push(`REDIS_NODES: the name ${host} cannot be resolved (${error.message})`),
    );
    const failures: string[] = [];
    const answers = await Promise.all(
      seeds.map(async (seed) =>
        this.ask(seed, readNode).catch((error: Error) => {
          failures.push(problemOf(seed, error));
          return undefined;
        }),
      ),
    );
    const best = answers
      .filter((answer) => answer !== undefined)
      .sort((one, other) => slotsServed(other) - slotsServed(one))[0];
    found.push(...(best ? await this.problemsOf(best) : failures));
    return [...new Set(found)];
  }

  private async problemsOf({ info, slots }: NodeAnswer): Promise<string[]> {
    const assigned = Number(/cluster_slots_assigned:(\d+)/.exec(info)?.[1] ?? 0);
    if (assigned < SLOTS) {
      return [
        `${SLOTS - assigned} of ${SLOTS} hash slots are assigned to no master: finish the cluster with ` +
          '"redis-cli --cluster create" or "redis-cli --cluster fix"',
      ];
    }
    const found = isServing(info)
      ? []
      : ['the nodes say that the cluster does not serve (cluster_state:fail)'];
    const nodes = slots.flatMap(([, , ...inRange]) => inRange);
    if (nodes.some(([host]) => isUnknown(host))) {
      found.push(
        'some nodes announce no address: set cluster-announce-ip, or cluster-announce-hostname, to match their ' +
          'cluster-preferred-endpoint-type',
      );
    }
    const { requireReplica = REDIS_CLUSTER_DEFAULTS.requireReplica } = this.options;
    for (const [, , [host, port], ...replicas] of requireReplica ? slots : []) {
      if (replicas.length === 0) {
        found.push(
          `the master ${host ?? '?'}:${port} has no replica that is up, and each write needs the confirmation of one ` +
            '(REDIS_REQUIRE_REPLICA)',
        );
      }
    }
    return [...found, ...(await this.problemsOfMasters(slots))];
  }

  /** Checks that each master is reachable at its announced address, and accepts the commands that confirm a write. */
  private async problemsOfMasters(slots: SlotsReply): Promise<string[]> {
    const masters = new Set(
      slots.flatMap(([, , [host, port]]) => (isUnknown(host) ? [] : [`${host}:${port}`])),
    );
    const found = await Promise.all(
      [...masters].map(async (announced) => {
        const colon = announced.lastIndexOf(':');
        const seed = this.options.natMap?.[announced] ?? {
          host: announced.slice(0, colon),
          port: Number(announced.slice(colon + 1)),
        };
        return this.ask(seed, async (node) => {
          await node.wait(0, 1);
          await node.call('CLUSTER', 'NODES');
        }).then(
          () => [],
          (error: Error) => (isReplicaError(error) ? [] : [problemOf(seed, error)]),
        );
      }),
    );
    return found.flat();
  }

  private async ask<T>(seed: Seed, question: (node: Redis) => Promise<T>): Promise<T> {
    let connectionError: Error | undefined;
    const connection = createConnection(this.secrets, seed, (error) => (connectionError ??= error));
    connection.on('error', (error: Error) => (connectionError ??= error));
    try {
      await connection.connect();
      return await question(connection);
    } catch (error) {
      throw connectionError ?? error;
    } finally {
      if (connection.status !== 'end') {
        connection.disconnect();
      }
    }
  }
}

async function readNode(node: Redis): Promise<NodeAnswer> {
  const [info, slots] = await Promise.all([
    node.call('CLUSTER', 'INFO'),
    node.call('CLUSTER', 'SLOTS'),
  ]);
  return { info: String(info), slots: slots as SlotsReply };
}

function problemOf({ host, port }: Seed, error: Error): string {
  const node = `the Redis node ${host}:${port}`;
  if (isWithoutCluster(error)) {
    return `${node} is no node of a cluster: it runs without cluster-enabled`;
  }
  return isRefusal(error)
    ? redacted(error).message
    : `${node} does not answer: ${redacted(error).message}`;
}

function slotsServed({ info }: NodeAnswer): number {
  return Number(/cluster_slots_ok:(\d+)/.exec(info)?.[1] ?? 0);
}

function isUnknown(host: string | null | undefined): boolean {
  return host === null || host === undefined || host === '' || host === '?';
}
