import type { Logger } from 'pino';
import { setTimeout as delay } from 'node:timers/promises';

import type { ReadyFacts } from '../ready-message.js';
import { RestartPolicy } from './restart-policy.js';
import type { WorkerProcess } from './worker-process.js';

export interface SlotOptions {
  readonly logger: Logger;
  readonly launch: (number: number) => WorkerProcess;
  readonly isStopping: () => boolean;
  readonly onUnexpectedExit: () => void;
  /** Called when the workers of this slot end again and again, right after their start. */
  readonly giveUp: () => void;
}

/** The place of one worker. Its process is replaced when it ends, and when the operator restarts the workers. */
export class WorkerSlot {
  /** The process that serves, or that starts after the previous one has ended. */
  current: WorkerProcess | undefined;
  /** The process that replaces `current` when it is ready. */
  private next: WorkerProcess | undefined;
  private readonly policy = new RestartPolicy();

  constructor(
    private readonly number: number,
    private readonly options: SlotOptions,
  ) {}

  /** @throws WorkerStartError */
  async start(): Promise<ReadyFacts> {
    const process = this.options.launch(this.number);
    this.current = process;
    const facts = await process.ready;
    this.replaceWhenEnded(process);
    return facts;
  }

  /**
   * Replaces the process by a new one. The old one serves until the new one is ready.
   *
   * @throws WorkerStartError if the new one ends before it is ready. The old one then continues
   */
  async renew(): Promise<void> {
    const next = this.options.launch(this.number);
    this.next = next;
    await next.ready.finally(() => (this.next = undefined));
    // Not read earlier, because it may have ended and been replaced meanwhile.
    const old = this.current;
    this.current = next;
    this.replaceWhenEnded(next);
    await old?.leave();
  }

  /** Ends the new process of `renew`, if it is not ready. */
  cancelRenewal(): void {
    if (this.next) {
      this.next.failure = 'It was not ready when the next restart was requested.';
      this.next.kill();
    }
  }

  private replaceWhenEnded(process: WorkerProcess): void {
    void process.ended.then(async () => {
      if (this.current === process && !this.options.isStopping()) {
        await this.replace(process);
      }
    });
  }

  private async replace(ended: WorkerProcess): Promise<void> {
    const { logger, launch, isStopping, onUnexpectedExit, giveUp } = this.options;
    onUnexpectedExit();
    const { pid, exit, failure } = ended;
    const fields = {
      worker: this.number,
      workerPid: pid,
      ...exit,
      ...(failure === undefined ? {} : { reason: failure }),
    };
    const waitMs = this.policy.delayAfter(ended.uptimeMs);
    if (waitMs === undefined) {
      logger.fatal(
        fields,
        'A worker ends again and again, right after its start. The instance stops.',
      );
      giveUp();
      return;
    }
    logger.error({ ...fields, waitMs }, 'A worker has ended. It is being replaced.');
    await delay(waitMs);
    if (this.current === ended && !isStopping()) {
      this.current = launch(this.number);
      this.replaceWhenEnded(this.current);
    }
  }
}
