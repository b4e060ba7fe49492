const LONGEST_MS = 20_000;

/** Stops what was started, last thing first, on SIGINT or SIGTERM. A second signal does not wait. */
export class Shutdown {
  private readonly steps: (() => Promise<unknown>)[] = [];
  private started = false;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (this.started) {
          process.exit(1);
        }
        void this.run(0);
      });
    }
  }

  get isUnderWay(): boolean {
    return this.started;
  }

  add(step: () => Promise<unknown>): void {
    this.steps.unshift(step);
  }

  async run(exitCode: number): Promise<void> {
    this.started = true;
    setTimeout(() => process.exit(1), LONGEST_MS).unref();
    for (const step of this.steps) {
      await step().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    }
    process.exit(exitCode);
  }
}
