import type { Redis } from 'ioredis';

import { withTimeout, type Deadline } from '../common/deadline/index.js';
import type { ClusterLink } from './cluster-link.js';
import { parseClusterNodes, type ClusterNode } from './cluster-nodes.js';
import { isRefusal, isRetriable } from './error-replies.js';
import type { MasterMajority } from './master-majority.js';
import type { RedisCallMetrics } from './redis-call-metrics.js';
import { TooFewReplicasError } from './redis-cluster.errors.js';
import { addressOf } from './node-address.js';
import { appendCall, type ScriptCall } from './script-call.js';

/** WAIT blocks its connection for at most this long, so that a silent replica does not block all writes. */
const WAIT_TIMEOUT_MS = 300;
const MAX_BATCH = 256;
const MAX_QUEUED_WRITES = 10_000;

type Result = [error: Error | null, reply: unknown];

/** The reply to a write that no failover can lose any more: see DurableWriter. */
export interface ConfirmedReply {
  readonly reply: unknown;
  /** Whether no replica has confirmed the write, because none could be promoted. */
  readonly hasOneCopy: boolean;
}

interface QueuedWrite {
  readonly call: ScriptCall;
  readonly deadline: Deadline;
  readonly resolve: (reply: ConfirmedReply) => void;
  readonly reject: (error: Error) => void;
}

/** The writes for one master. While a batch is under way the next one gathers. */
interface Lane {
  readonly master: string;
  /** A batch is under way, or will be sent when the current task is done. */
  isBusy: boolean;
  queue: QueuedWrite[];
}

/** What is known about the master at the other end of a connection. */
interface Shard {
  /** The replicas that it listed when it last confirmed a batch, as text. */
  confirmedReplicas: string | undefined;
  /** The number of replicas for which WAIT waits. */
  awaited: number;
}

/** The reply to a batch. */
interface BatchReply {
  readonly results: readonly Result[];
  /** The replicas that have confirmed the batch, as WAIT counts them. */
  readonly confirmed: number;
  /** What the master says after WAIT. */
  readonly nodes: readonly ClusterNode[];
}

/**
 * Sends writes, and proves that a failover cannot lose them: every replica that could be promoted in place of the master has
 * confirmed them. If there is none, a majority of the masters says so, and that the master has not been replaced.
 *
 * The writes, WAIT and CLUSTER NODES are one pipeline on one connection, because WAIT covers only the writes of its own
 * connection. WAIT also blocks that connection. So the writes for one master are sent in batches. A write whose caller has
 * timed out is dropped, so that writes do not accumulate behind a silent replica.
 *
 * The pipeline uses the connection of the master and not the cluster client: the client would send it again after its
 * callers have timed out, and may split it when a connection is about to close.
 */
export class DurableWriter {
  private readonly lanes = new Map<string, Lane>();
  private readonly shards = new WeakMap<Redis, Shard>();

  /** @param requireReplica a write without a confirmation of a replica fails */
  constructor(
    private readonly link: ClusterLink,
    private readonly majority: MasterMajority,
    private readonly calls: RedisCallMetrics,
    private readonly requireReplica: boolean,
  ) {}

  /** One attempt. @returns the script's reply, once its writes are confirmed */
  async write(call: ScriptCall, deadline: Deadline): Promise<ConfirmedReply> {
    const master = call.askNode ?? this.link.masterOf(call.keys[0] ?? '');
    if (master === undefined) {
      throw new Error('no master is known for this key');
    }
    const lane = this.lanes.get(master) ?? { master, isBusy: false, queue: [] };
    if (lane.queue.length >= MAX_QUEUED_WRITES) {
      throw new Error('too many writes wait for this master');
    }
    this.lanes.set(master, lane);
    return new Promise((resolve, reject) => {
      lane.queue.push({ call, deadline, resolve, reject });
      if (!lane.isBusy) {
        lane.isBusy = true;
        // Writes that are requested in the same task share a batch.
        queueMicrotask(() => this.sendNext(lane));
      }
    });
  }

  private sendNext(lane: Lane): void {
    lane.queue = lane.queue.filter(isStillInTime);
    const batch = lane.queue.splice(0, MAX_BATCH);
    if (batch.length === 0) {
      this.lanes.delete(lane.master);
      return;
    }
    void this.send(lane.master, batch).finally(() => this.sendNext(lane));
  }

  private async send(master: string, batch: readonly QueuedWrite[]): Promise<void> {
    try {
      const connection = this.connectionTo(master);
      const shard = this.shards.get(connection) ?? {
        confirmedReplicas: undefined,
        awaited: 1,
      };
      this.shards.set(connection, shard);
      const reply = await this.exchange(connection, shard, batch);
      const written = reply.results.filter(([error]) => error === null).length;
      const failure = written > 0 ? await this.failureToConfirm(shard, reply, batch) : undefined;
      if (written > 0 && !failure) {
        this.calls.countWrites(master, written, reply.confirmed === 0);
      }
      batch.forEach(({ resolve, reject }, index) => {
        const [error, ofScript] = reply.results[index]!;
        if (error ?? failure) {
          reject((error ?? failure)!);
        } else {
          resolve({ reply: ofScript, hasOneCopy: reply.confirmed === 0 });
        }
      });
    } catch (error) {
      batch.forEach(({ reject }) => reject(error as Error));
    }
  }

  private async exchange(
    connection: Redis,
    { awaited }: Shard,
    batch: readonly QueuedWrite[],
  ): Promise<BatchReply> {
    const pipeline = connection.pipeline();
    const isReply = batch.flatMap(({ call }) => appendCall(pipeline, call));
    const remaining = remainingMs(batch);
    if (awaited > 0) {
      pipeline.wait(awaited, Math.max(1, Math.ceil(Math.min(remaining, WAIT_TIMEOUT_MS))));
    }
    pipeline.call('CLUSTER', 'NODES');
    const answers = (await withTimeout(remaining, pipeline.exec())) ?? [];
    const nodes = parseClusterNodes(String(replyOf('CLUSTER NODES', answers.at(-1))));
    return {
      results: answers.filter((_, index) => isReply[index]),
      confirmed: awaited > 0 ? Number(replyOf('WAIT', answers.at(-2))) : 0,
      nodes,
    };
  }

  /** @returns why the batch is not confirmed; undefined when it is */
  private async failureToConfirm(
    shard: Shard,
    { confirmed, nodes }: BatchReply,
    batch: readonly QueuedWrite[],
  ): Promise<Error | undefined> {
    const ownId = nodes.find(({ isMyself }) => isMyself)?.id ?? '';
    const replicas = nodes.filter(({ masterId }) => masterId === ownId);
    // Redis lists nodes in no particular order.
    const ids = replicas.map(({ id }) => id).sort();
    const listed = ids.join(' ');
    if (replicas.length > 0 && !replicas.some(({ isFailed }) => isFailed)) {
      shard.awaited = replicas.length;
      // The master read this list after the writes. If it was replaced, the list has the node that has replaced it, and that
      // node has not confirmed. A changed list may lack another node that has.
      if (confirmed >= replicas.length && listed === shard.confirmedReplicas) {
        return undefined;
      }
    }
    const promotable = await this.majority.promotableReplicas(
      ownId,
      ids,
      confirmed,
      remainingMs(batch),
    );
    if (promotable === undefined) {
      return new Error('no majority of the masters says that this one leads its shard');
    }
    shard.awaited = Math.max(promotable, this.requireReplica ? 1 : 0);
    if (confirmed < shard.awaited) {
      return new TooFewReplicasError(confirmed, shard.awaited);
    }
    shard.confirmedReplicas = listed;
    return undefined;
  }

  private connectionTo(master: string): Redis {
    const connection = this.link.nodes('master').find((node) => addressOf(node) === master);
    if (!connection) {
      throw new Error('the master is not connected');
    }
    return connection;
  }
}

/** @throws Error when the command failed: the writes before it are then not confirmed, and may be retried */
function replyOf(command: string, result: Result | undefined): unknown {
  const [error, reply] = result ?? [new Error('the pipeline was not sent')];
  if (error) {
    throw isRefusal(error) || isRetriable(error)
      ? error
      : new Error(`${command} failed: ${error.message}`);
  }
  return reply;
}

function remainingMs(batch: readonly QueuedWrite[]): number {
  return Math.max(...batch.map(({ deadline }) => deadline.remainingMs));
}

function isStillInTime({ deadline, reject }: QueuedWrite): boolean {
  const isInTime = !deadline.hasPassed;
  if (!isInTime) {
    reject(new Error('the deadline passed while the write was queued'));
  }
  return isInTime;
}
