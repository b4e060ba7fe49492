/** Calls the lifecycle hooks of Nest in a process without a Nest application. */
export class Lifecycle {
  private stopping: Promise<void> | undefined;

  constructor(private readonly parts: readonly object[]) {}

  async start(): Promise<void> {
    await this.call('onApplicationBootstrap');
  }

  /** Further calls return the same promise. */
  async stop(): Promise<void> {
    this.stopping ??= this.callAll();
    await this.stopping;
  }

  private async callAll(): Promise<void> {
    await this.call('onModuleDestroy');
    await this.call('beforeApplicationShutdown');
    await this.call('onApplicationShutdown');
  }

  private async call(hook: string): Promise<void> {
    const parts = this.parts.map((part) => part as Record<string, (() => unknown) | undefined>);
    await Promise.all(parts.map((part) => part[hook]?.()));
  }
}
