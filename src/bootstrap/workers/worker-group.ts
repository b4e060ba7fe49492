import type { Logger } from 'pino';

import type { Settings } from '../../config/index.js';
import type { MetricSnapshot } from '../../metrics/registry/index.js';
import type { ReadyFacts } from '../ready-message.js';
import type { StartOrder } from './messages.js';
import { WorkerProcess, WorkerStartError } from './worker-process.js';
import { WorkerSlot } from './worker-slot.js';

export interface WorkerGroupOptions {
  readonly settings: Pick<Settings, 'workers' | 'http' | 'management'>;
  readonly cluster: StartOrder['cluster'];
  readonly logger: Logger;
  /** Called when workers end again and again, right after their start. */
  readonly giveUp: () => void;
}

/** All workers of the instance. */
export class WorkerGroup {
  private readonly slots: readonly WorkerSlot[];
  /** Also those that start and those that leave. */
  private readonly running = new Set<WorkerProcess>();
  private isStopping = false;
  private unexpectedExits = 0;

  constructor(private readonly options: WorkerGroupOptions) {
    const { settings, logger, giveUp } = options;
    this.slots = Array.from(
      { length: settings.workers },
      (_, index) =>
        new WorkerSlot(index + 1, {
          logger,
          giveUp,
          launch: (number) => this.launch(number),
          isStopping: () => this.isStopping,
          onUnexpectedExit: () => (this.unexpectedExits += 1),
        }),
    );
  }

  /**
   * Starts the first worker, which opens the ports at once. The others start when it is ready, so that an error at the start
   * is reported once, and no worker that is not ready gets requests that another could serve.
   *
   * @throws WorkerStartError
   */
  async start(): Promise<ReadyFacts> {
    const [first, ...others] = this.slots;
    const facts = await first!.start();
    await Promise.all(others.map(async (slot) => slot.start()));
    return facts;
  }

  /**
   * Replaces one worker after the other.
   *
   * @throws WorkerStartError
   */
  async renew(): Promise<void> {
    for (const slot of this.slots) {
      if (!this.isStopping) {
        await slot.renew();
      }
    }
  }

  /** Ends a worker that `renew` has started, if it is not ready. `renew` then rejects. */
  cancelRenewal(): void {
    this.slots.forEach((slot) => slot.cancelRenewal());
  }

  /** Returns when all workers have ended. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all([...this.running].map(async (process) => process.stop()));
  }

  /** For the end of this process: the workers must not outlive it. */
  kill(): void {
    this.running.forEach((process) => process.kill());
  }

  private launch(number: number): WorkerProcess {
    if (this.isStopping) {
      throw new WorkerStartError('The instance is stopping.');
    }
    const { settings, cluster } = this.options;
    const process = new WorkerProcess(
      {
        kind: 'start',
        number,
        opensPortsAtOnce: ![...this.running].some(({ isListening }) => isListening),
        ...(cluster ? { cluster } : {}),
      },
      variablesOf(settings),
      async () => this.metrics(),
    );
    this.running.add(process);
    void process.ended.then(() => this.running.delete(process));
    return process;
  }

  /** The metrics of each worker that answers, and of this process. */
  private async metrics(): Promise<readonly (readonly MetricSnapshot[])[]> {
    const ofWorkers = await Promise.all(
      this.slots.map(async ({ current }) =>
        current?.isListening ? current.readMetrics() : undefined,
      ),
    );
    return [...ofWorkers.filter((one) => one !== undefined), this.ownMetrics(ofWorkers)];
  }

  private ownMetrics(ofWorkers: readonly unknown[]): MetricSnapshot[] {
    return [
      {
        name: 'keyslot_worker_exits_total',
        help: 'Workers that ended although nobody had stopped them, and were replaced.',
        type: 'counter',
        values: [{ labels: {}, value: this.unexpectedExits }],
      },
      {
        name: 'keyslot_worker_metrics_read',
        help: 'Whether this scrape contains the metrics of the worker: 1 or 0.',
        type: 'gauge',
        values: ofWorkers.map((metrics, index) => ({
          labels: { worker: String(index + 1) },
          value: metrics === undefined ? 0 : 1,
        })),
      },
    ];
  }
}

/** Settings that all workers share as long as this process runs. They override .env, which may have been changed. */
function variablesOf({ workers, http, management }: WorkerGroupOptions['settings']) {
  return {
    WORKERS: String(workers),
    HOST: http.host,
    PORT: String(http.port),
    ...(management
      ? { MANAGEMENT_HOST: management.host, MANAGEMENT_PORT: String(management.port) }
      : { MANAGEMENT_PORT: '' }),
  };
}
