import type { Redis } from 'ioredis';

import { withTimeout, type Deadline } from '../common/deadline/index.js';
import type { ClusterLink } from './cluster-link.js';
import { isRefusal, isRetriable } from './error-replies.js';
import { TooFewReplicasError } from './redis-cluster.errors.js';
import { appendCall, type ScriptCall } from './script-call.js';

/** WAIT blocks its connection for at most this long, so that a silent replica does not block all writes. */
const WAIT_TIMEOUT_MS = 300;
const MAX_BATCH = 256;
const MAX_QUEUED_WRITES = 10_000;

type Result = [error: Error | null, reply: unknown];

interface QueuedWrite {
  readonly call: ScriptCall;
  readonly deadline: Deadline;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The writes for one master. While a batch is under way the next one gathers. */
interface Lane {
  readonly master: string;
  /** A batch is under way, or will be sent when the current task is done. */
  isBusy: boolean;
  queue: QueuedWrite[];
}

/**
 * Sends writes followed by WAIT in one pipeline on one connection, because WAIT covers only the writes of its own connection.
 * WAIT also blocks that connection. So the writes for one master are sent in batches with one WAIT each. A write whose caller
 * has timed out is dropped, so that writes do not accumulate behind a silent replica.
 *
 * The pipeline uses the connection of the master and not the cluster client: the client would send it again after its
 * callers have timed out, and may split it when a connection is about to close.
 */
export class DurableWriter {
  private readonly lanes = new Map<string, Lane>();

  constructor(
    private readonly link: ClusterLink,
    private readonly replicas: number,
  ) {}

  /** One attempt. @returns the script's reply, once enough replicas have confirmed */
  async write(call: ScriptCall, deadline: Deadline): Promise<unknown> {
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
      const results = await this.exchange(master, batch);
      const unconfirmed = this.confirmationError(results[batch.length]);
      batch.forEach(({ resolve, reject }, index) => {
        const error = results[index]?.[0] ?? unconfirmed;
        if (error) {
          reject(error);
        } else {
          resolve(results[index]?.[1]);
        }
      });
    } catch (error) {
      batch.forEach(({ reject }) => reject(error as Error));
    }
  }

  private async exchange(master: string, batch: readonly QueuedWrite[]): Promise<Result[]> {
    const pipeline = this.connectionTo(master).pipeline();
    const isReply = batch.flatMap(({ call }) => appendCall(pipeline, call));
    const remaining = Math.max(...batch.map(({ deadline }) => deadline.remainingMs));
    pipeline.wait(this.replicas, Math.max(1, Math.ceil(Math.min(remaining, WAIT_TIMEOUT_MS))));
    const results = (await withTimeout(remaining, pipeline.exec())) ?? [];
    return results.filter((_, index) => isReply[index] ?? true);
  }

  private connectionTo(master: string): Redis {
    const connection = this.link
      .nodes('master')
      .find(({ options }) => `${options.host}:${options.port}` === master);
    if (!connection) {
      throw new Error('the master is not connected');
    }
    return connection;
  }

  private confirmationError(wait: Result | undefined): Error | undefined {
    const [error, count] = wait ?? [new Error('the pipeline was not sent')];
    if (error) {
      // An error of WAIT leaves the write unconfirmed. The write itself is valid and may be retried.
      return isRefusal(error) || isRetriable(error)
        ? error
        : new Error(`WAIT failed: ${error.message}`);
    }
    return Number(count) < this.replicas
      ? new TooFewReplicasError(Number(count), this.replicas)
      : undefined;
  }
}

function isStillInTime({ deadline, reject }: QueuedWrite): boolean {
  const isInTime = !deadline.hasPassed;
  if (!isInTime) {
    reject(new Error('the deadline passed while the write was queued'));
  }
  return isInTime;
}
