import cluster, { type Worker } from 'node:cluster';

import { OperatorError } from '../../common/operator-error/index.js';
import type { MetricSnapshot } from '../../metrics/registry/index.js';
import type { ReadyFacts } from '../ready-message.js';
import { closeConnectionOnItsWay } from './handed-over-connection.js';
import type { MessageToPrimary, MessageToWorker, StartOrder } from './messages.js';

/** The metrics of Redis take up to a second while a node does not answer. */
const METRICS_TIMEOUT_MS = 3000;
/** Longer than a worker takes to serve its connections and to stop. */
const LEAVE_TIMEOUT_MS = 30_000;

const PING_INTERVAL_MS = 10_000;
/** As many as the failed liveness probes after which Kubernetes restarts a container of the chart. */
const MAX_UNANSWERED_PINGS = 3;

/** A worker ended before it was ready. */
export class WorkerStartError extends OperatorError {
  override readonly name = 'WorkerStartError';
}

/** A worker, as the primary process sees it. */
export class WorkerProcess {
  /** Rejects with WorkerStartError if the process ends before. */
  readonly ready: Promise<ReadyFacts>;
  readonly ended: Promise<void>;
  /** How the process ended: its exit code, or the signal. */
  exit: { readonly code: number | null; readonly signal: string | null } | undefined;
  isListening = false;
  /** Why this process has killed the worker, or why the worker could not start. */
  failure: string | undefined;
  /** Absent: the operating system refused the process, and Node threw the error. */
  private readonly worker: Worker | undefined;
  private readyAt: number | undefined;
  private endedAt: number | undefined;
  private isLoaded = false;
  private unansweredPings = 0;
  private onReady: (facts: ReadyFacts) => void = () => undefined;
  private onEnd: () => void = () => undefined;
  private requests = 0;
  private readonly pending = new Map<number, (metrics?: readonly MetricSnapshot[]) => void>();

  /**
   * @param variables environment variables besides those of this process
   * @param collect the metrics of all workers
   */
  constructor(
    private readonly order: StartOrder,
    variables: Readonly<Record<string, string>>,
    private readonly collect: () => Promise<readonly (readonly MetricSnapshot[])[]>,
  ) {
    this.ended = new Promise((resolve) => (this.onEnd = resolve));
    // With most errors (EAGAIN, EMFILE), Node emits an event. With some (ENOMEM), it throws.
    try {
      this.worker = cluster.fork(variables);
    } catch (error) {
      this.notStarted(error as Error);
    }
    if (this.worker) {
      this.follow(this.worker);
    }
    this.ready = new Promise<ReadyFacts>((resolve, reject) => {
      this.onReady = resolve;
      void this.ended.then(() => reject(this.startError()));
    });
    // Not every caller waits for it.
    this.ready.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.worker?.process.pid;
  }

  /** How long the process was ready before it ended, in milliseconds. */
  get uptimeMs(): number {
    return (this.endedAt ?? performance.now()) - (this.readyAt ?? Infinity);
  }

  /** @returns undefined if the worker cannot read them, or does not answer in time */
  async readMetrics(): Promise<readonly MetricSnapshot[] | undefined> {
    const request = this.requests++;
    return new Promise((resolve) => {
      const settle = (metrics?: readonly MetricSnapshot[]): void => {
        clearTimeout(timer);
        this.pending.delete(request);
        resolve(metrics);
      };
      const timer = setTimeout(() => settle(), METRICS_TIMEOUT_MS);
      this.pending.set(request, settle);
      this.send({ kind: 'read-metrics', request });
    });
  }

  /** Returns when the process has ended. */
  async stop(): Promise<void> {
    this.requestEnd('stop');
    await this.ended;
  }

  /** Stops the worker, whose connections go to others. Returns when the process has ended. */
  async leave(): Promise<void> {
    this.requestEnd('leave');
    const timer = setTimeout(() => this.kill(), LEAVE_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    // Without a process, Node 20 would send the signal to process group 0, to which this process belongs.
    if (this.pid !== undefined) {
      this.worker?.process.kill('SIGKILL');
    }
  }

  private follow(worker: Worker): void {
    worker.on('message', (message: MessageToPrimary) => this.handle(message));
    worker.once('exit', (code: number | null, signal: string | null) => this.end(code, signal));
    worker.on('error', (error: Error) => {
      // With a process, it is a message to a process that is ending, whose exit is noticed.
      if (this.pid === undefined) {
        this.notStarted(error);
      }
    });
    if (this.pid !== undefined) {
      closeConnectionOnItsWay(worker.process);
    }
  }

  private notStarted({ message }: Error): void {
    this.failure = `The process could not be started (${message}).`;
    this.end(null, null);
  }

  private end(code: number | null, signal: string | null): void {
    this.exit = { code, signal };
    this.endedAt = performance.now();
    this.isListening = false;
    this.pending.forEach((settle) => settle());
    this.onEnd();
  }

  private requestEnd(kind: 'stop' | 'leave'): void {
    if (this.isLoaded) {
      this.send({ kind });
    } else {
      // It would not receive the message, and has nothing to finish.
      this.kill();
    }
  }

  private send(message: MessageToWorker): void {
    if (this.worker?.isConnected()) {
      this.worker.send(message, () => undefined);
    }
  }

  private handle(message: MessageToPrimary): void {
    switch (message.kind) {
      case 'loaded':
        this.isLoaded = true;
        this.send(this.order);
        this.killWhenUnresponsive();
        break;
      case 'pong':
        this.unansweredPings = 0;
        break;
      case 'listening':
        this.isListening = true;
        break;
      case 'ready':
        this.readyAt = performance.now();
        this.onReady(message.facts);
        break;
      case 'failed':
        this.failure = message.message;
        break;
      case 'metrics':
        this.pending.get(message.request)?.(message.metrics);
        break;
      case 'collect-metrics':
        void this.collect().then((metrics) =>
          this.send({ kind: 'metrics-of-all', request: message.request, metrics }),
        );
        break;
    }
  }

  /** Counts pings and no time, because this process may have been paused as well. */
  private killWhenUnresponsive(): void {
    const timer = setInterval(() => {
      if (this.unansweredPings >= MAX_UNANSWERED_PINGS) {
        this.failure = 'The worker did not respond any more.';
        this.kill();
      }
      this.unansweredPings += 1;
      this.send({ kind: 'ping' });
    }, PING_INTERVAL_MS);
    void this.ended.then(() => clearInterval(timer));
  }

  private startError(): WorkerStartError {
    const { code, signal } = this.exit ?? { code: null, signal: null };
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    return new WorkerStartError(
      this.failure ?? `Worker ${this.order.number} ended before it was ready (${how}).`,
    );
  }
}
