import { DurationTally, type Series } from '../metrics/registry/index.js';
import type { Spans } from '../tracing/index.js';
import { codeOf, isErrorReply } from './error-replies.js';
import { TooFewReplicasError } from './redis-cluster.errors.js';

/** A node without calls for this long is forgotten. Far longer than a restart of a node takes. */
const NODE_RETENTION_MS = 3_600_000;
const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1];

interface Tally {
  readonly call: string;
  readonly node: string;
  readonly duration: DurationTally;
  readonly errors: Map<string, number>;
}

interface NodeTallies {
  lastCallAt: number;
  /** Undefined for a node that has taken no durable write. */
  singleCopyWrites: number | undefined;
  readonly tallies: Map<string, Tally>;
}

/** Counts and times the calls to each node, by script and command, counts their errors, and creates their spans. */
export class RedisCallMetrics {
  private readonly nodes = new Map<string, NodeTallies>();

  constructor(
    private readonly spans?: Spans,
    private readonly now = (): number => performance.now(),
  ) {}

  /**
   * @param call the name of a script or a command
   * @param node `host:port` of the node that it is sent to
   */
  async observe<Reply>(call: string, node: string, work: () => Promise<Reply>): Promise<Reply> {
    const tally = this.tallyOf(call, node);
    const begun = this.now();
    try {
      return await (this.spans ? this.traced(this.spans, call, node, work) : work());
    } catch (error) {
      const code = errorCodeOf(error);
      tally.errors.set(code, (tally.errors.get(code) ?? 0) + 1);
      throw error;
    } finally {
      tally.duration.observe(this.now() - begun);
    }
  }

  /**
   * Counts durable writes.
   *
   * @param node `host:port` of the master
   * @param hasOneCopy whether no replica has confirmed them
   */
  countWrites(node: string, count: number, hasOneCopy: boolean): void {
    const tallies = this.talliesOf(node);
    tallies.singleCopyWrites = (tallies.singleCopyWrites ?? 0) + (hasOneCopy ? count : 0);
  }

  /** Drops nodes that have left the cluster. Addresses change over time, and each one would be kept forever. */
  forgetOldNodes(): void {
    const oldest = this.now() - NODE_RETENTION_MS;
    this.nodes.forEach(({ lastCallAt }, node) => {
      if (lastCallAt < oldest) {
        this.nodes.delete(node);
      }
    });
  }

  get durations(): Series<DurationTally>[] {
    return this.all.map(({ call, node, duration }) => [{ call, node }, duration]);
  }

  /** The number of calls to each node, `host:port`. */
  get countsByNode(): ReadonlyMap<string, number> {
    return new Map(
      Array.from(this.nodes, ([node, { tallies }]) => [
        node,
        [...tallies.values()].reduce((sum, { duration }) => sum + duration.count, 0),
      ]),
    );
  }

  get errors(): Series<number>[] {
    return this.all.flatMap(({ call, node, errors }) =>
      Array.from(errors, ([error, count]): Series<number> => [{ call, node, error }, count]),
    );
  }

  /** Durable writes that succeeded while their shard had one copy. */
  get singleCopyWrites(): Series<number>[] {
    return Array.from(this.nodes).flatMap(([node, { singleCopyWrites }]) =>
      singleCopyWrites === undefined ? [] : [[{ node }, singleCopyWrites]],
    );
  }

  private async traced<Reply>(
    spans: Spans,
    call: string,
    node: string,
    work: () => Promise<Reply>,
  ): Promise<Reply> {
    const colon = node.lastIndexOf(':');
    const attributes = {
      'db.system.name': 'redis',
      'db.operation.name': call,
      'server.address': node.slice(0, colon),
      'server.port': Number(node.slice(colon + 1)),
    };
    const name = `redis ${call}`;
    return spans.of({ name, kind: 'client', attributes, errorType: errorCodeOf }, work);
  }

  private get all(): Tally[] {
    return [...this.nodes.values()].flatMap(({ tallies }) => [...tallies.values()]);
  }

  private talliesOf(node: string): NodeTallies {
    let ofNode = this.nodes.get(node);
    if (!ofNode) {
      ofNode = { lastCallAt: 0, singleCopyWrites: undefined, tallies: new Map() };
      this.nodes.set(node, ofNode);
    }
    ofNode.lastCallAt = this.now();
    return ofNode;
  }

  private tallyOf(call: string, node: string): Tally {
    const ofNode = this.talliesOf(node);
    let tally = ofNode.tallies.get(call);
    if (!tally) {
      tally = { call, node, duration: new DurationTally(BUCKETS_SECONDS), errors: new Map() };
      ofNode.tallies.set(call, tally);
    }
    return tally;
  }
}

/** The code of an error reply (`ERR` if it has none); without a reply, `not-confirmed` or `no-answer`. */
function errorCodeOf(error: unknown): string {
  if (isErrorReply(error)) {
    return codeOf(error);
  }
  return error instanceof TooFewReplicasError ? 'not-confirmed' : 'no-answer';
}
