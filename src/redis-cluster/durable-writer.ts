import calculateSlot from 'cluster-key-slot';
import type { Cluster } from 'ioredis';

import { appendTo, type ScriptCall } from './script-call.js';

/** WAIT blocks its connection for at most this long, so that a silent replica does not hold everything up. */
const LONGEST_WAIT_MS = 300;
const LARGEST_BATCH = 256;

interface Waiting {
  readonly call: ScriptCall;
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The writes for one master. While a batch is under way the next one gathers. */
interface Lane {
  isBusy: boolean;
  waiting: Waiting[];
}

/**
 * Sends writes with a WAIT behind them, in one pipeline on one connection: WAIT speaks only for the writes of its own
 * connection. It also blocks that connection; so the writes for one master travel in batches with one WAIT each, and a
 * write whose caller has given up is dropped instead of piling up behind a replica that is silent.
 */
export class DurableWriter {
  private readonly lanes = new Map<string, Lane>();

  constructor(
    private readonly client: Cluster,
    private readonly replicas: number,
  ) {}

  /** One attempt. @returns the script's reply, once enough replicas have confirmed */
  async write(call: ScriptCall, deadline: number): Promise<unknown> {
    const lane = this.laneOf(call);
    return new Promise((resolve, reject) => {
      lane.waiting.push({ call, deadline, resolve, reject });
      this.sendNext(lane);
    });
  }

  private laneOf(call: ScriptCall): Lane {
    // A pipeline may hold keys of several slots when the same nodes serve them.
    const nodes = this.client.slots[calculateSlot(call.keys[0] ?? '')] ?? [];
    const name = nodes.join();
    const lane = this.lanes.get(name) ?? { isBusy: false, waiting: [] };
    this.lanes.set(name, lane);
    return lane;
  }

  private sendNext(lane: Lane): void {
    if (lane.isBusy) {
      return;
    }
    const batch = lane.waiting.splice(0, LARGEST_BATCH).filter(isStillWanted);
    if (batch.length === 0) {
      return;
    }
    lane.isBusy = true;
    void this.send(batch).finally(() => {
      lane.isBusy = false;
      this.sendNext(lane);
    });
  }

  private async send(batch: readonly Waiting[]): Promise<void> {
    try {
      const pipeline = this.client.pipeline();
      batch.forEach(({ call }) => appendTo(pipeline, call));
      const remaining = Math.max(...batch.map(({ deadline }) => deadline)) - performance.now();
      pipeline.wait(this.replicas, Math.max(1, Math.ceil(Math.min(remaining, LONGEST_WAIT_MS))));
      const results = (await pipeline.exec()) ?? [];
      const unconfirmed = this.whyUnconfirmed(results[batch.length]);
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

  private whyUnconfirmed(wait: [Error | null, unknown] | undefined): Error | undefined {
    const [error, count] = wait ?? [new Error('the pipeline was not sent')];
    if (error) {
      return error;
    }
    return Number(count) < this.replicas
      ? new Error(`${String(count)} of ${this.replicas} replicas confirmed`)
      : undefined;
  }
}

function isStillWanted({ deadline, reject }: Waiting): boolean {
  const isWanted = performance.now() < deadline;
  if (!isWanted) {
    reject(new Error('no room in time'));
  }
  return isWanted;
}
