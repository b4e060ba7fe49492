/** If stopping takes longer, the process exits with code 1. */
export const SHUTDOWN_TIMEOUT_MS = 20_000;
/**
 * At Ctrl-C, the terminal sends the signal to the whole process group, and npm forwards it. So the same signal may arrive
 * twice.
 */
const DUPLICATE_SIGNAL_MS = 1000;

/** Runs the stop steps in reverse order on SIGINT, SIGTERM and SIGHUP. A second signal ends the process immediately. */
export class Shutdown {
  private readonly steps: (() => Promise<unknown>)[] = [];
  private startedAt: number | undefined;
  private readonly onSignal: () => void;
  private readonly reactions = new Map<NodeJS.Signals, () => void>();

  /** @param exitCode after a signal: 0 for a server, 130 for a task that was interrupted before its end */
  constructor(exitCode = 0) {
    this.onSignal = () => {
      if (this.startedAt === undefined) {
        void this.run(exitCode);
      } else if (performance.now() - this.startedAt > DUPLICATE_SIGNAL_MS) {
        process.exit(1);
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, this.onSignal);
    }
  }

  /** Replaces what a signal does: it no longer stops the process. A later call replaces an earlier one. */
  insteadOn(signal: 'SIGINT' | 'SIGHUP', reaction: () => void): void {
    // Added before the other one is removed: without a listener, the signal would end the process.
    process.on(signal, reaction).off(signal, this.reactions.get(signal) ?? this.onSignal);
    this.reactions.set(signal, reaction);
  }

  get isUnderWay(): boolean {
    return this.startedAt !== undefined;
  }

  add(step: () => Promise<unknown>): void {
    this.steps.unshift(step);
  }

  /** Adds a resource that is still starting. A signal during the start waits for it and then stops it. */
  addStarting(starting: Promise<{ stop(): Promise<unknown> }>): void {
    this.add(async () => (await starting.catch(() => undefined))?.stop());
  }

  async run(exitCode: number): Promise<void> {
    this.startedAt = performance.now();
    setTimeout(() => {
      const seconds = SHUTDOWN_TIMEOUT_MS / 1000;
      process.stderr.write(`The shutdown took longer than ${seconds} seconds and was aborted.\n`);
      process.exit(1);
    }, SHUTDOWN_TIMEOUT_MS).unref();
    // Steps may be added while this runs.
    for (let step = this.steps.shift(); step; step = this.steps.shift()) {
      await step().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    }
    process.exit(exitCode);
  }
}
