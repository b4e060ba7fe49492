import { Logger } from '@nestjs/common';

import type { MetricSnapshot } from '../../metrics/registry/index.js';
import type { MessageToPrimary, MessageToWorker, StartOrder } from './messages.js';

type MetricsOfAll = readonly (readonly MetricSnapshot[])[];

/** The messages between a worker and the primary process. Node ends the worker when the primary process has ended. */
export class PrimaryChannel {
  private readonly logger = new Logger('Workers');
  readonly order: Promise<StartOrder>;
  onStop: () => void = () => undefined;
  /** Default: the worker has no ports yet, so leaving is stopping. */
  onLeave: () => void = () => this.onStop();
  readMetrics: () => Promise<readonly MetricSnapshot[]> = () => Promise.resolve([]);
  private receiveOrder: (order: StartOrder) => void = () => undefined;
  private requests = 0;
  private readonly pending = new Map<number, (metrics: MetricsOfAll) => void>();
  private collection: Promise<MetricsOfAll> | undefined;

  constructor() {
    this.order = new Promise((resolve) => (this.receiveOrder = resolve));
    process.on('message', (message: MessageToWorker) => this.handle(message));
    void this.send({ kind: 'loaded' });
  }

  /** Returns when the message is sent. */
  async send(message: MessageToPrimary): Promise<void> {
    await new Promise<void>((resolve) => {
      process.send!(message, undefined, undefined, () => resolve());
    });
  }

  /** The metrics of all workers and of the primary process. Concurrent callers share one collection. */
  async metricsOfAll(): Promise<MetricsOfAll> {
    this.collection ??= new Promise<MetricsOfAll>((resolve) => {
      const request = this.requests++;
      this.pending.set(request, resolve);
      void this.send({ kind: 'collect-metrics', request });
    }).finally(() => (this.collection = undefined));
    return this.collection;
  }

  private handle(message: MessageToWorker): void {
    switch (message.kind) {
      case 'start':
        this.receiveOrder(message);
        break;
      case 'stop':
        this.onStop();
        break;
      case 'leave':
        this.onLeave();
        break;
      case 'ping':
        void this.send({ kind: 'pong' });
        break;
      case 'read-metrics':
        void this.answer(message.request);
        break;
      case 'metrics-of-all':
        this.pending.get(message.request)?.(message.metrics);
        this.pending.delete(message.request);
        break;
    }
  }

  private async answer(request: number): Promise<void> {
    const metrics = await this.readMetrics().catch((error: unknown) => {
      // A metric of the application may fail. The other workers are still scraped.
      this.logger.error('The metrics of this worker could not be read.', (error as Error).stack);
      return undefined;
    });
    await this.send({ kind: 'metrics', request, metrics });
  }
}
