/** How long stopping may take before it is cut short. */
export const SHUTDOWN_TIMEOUT_MS = 20_000;
/** npm passes Ctrl-C on to a process that the terminal has told already: the same signal, a moment later. */
const ECHO_MS = 1000;

/** Stops what was started, last thing first, on Ctrl-C, SIGTERM, or when the terminal is closed. A second signal does not wait. */
export class Shutdown {
  private readonly steps: (() => Promise<unknown>)[] = [];
  private startedAt: number | undefined;

  /** @param exitCode after a signal: a server was told to stop; what was to come to an end was interrupted (130) */
  constructor(exitCode = 0) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (this.startedAt === undefined) {
          void this.run(exitCode);
        } else if (performance.now() - this.startedAt > ECHO_MS) {
          process.exit(1);
        }
      });
    }
  }

  get isUnderWay(): boolean {
    return this.startedAt !== undefined;
  }

  add(step: () => Promise<unknown>): void {
    this.steps.unshift(step);
  }

  /** For what is being started: a signal may come before it is there, and then has to wait for it. */
  addStarting(starting: Promise<{ stop(): Promise<unknown> }>): void {
    this.add(async () => (await starting.catch(() => undefined))?.stop());
  }

  async run(exitCode: number): Promise<void> {
    this.startedAt = performance.now();
    setTimeout(() => {
      const seconds = SHUTDOWN_TIMEOUT_MS / 1000;
      process.stderr.write(`Stopping took longer than ${seconds} seconds and was cut short.\n`);
      process.exit(1);
    }, SHUTDOWN_TIMEOUT_MS).unref();
    // Also what is added while this runs.
    for (let step = this.steps.shift(); step; step = this.steps.shift()) {
      await step().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    }
    process.exit(exitCode);
  }
}
