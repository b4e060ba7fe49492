import { setTimeout as delay } from 'node:timers/promises';

import type { Instance } from '../support/instance.js';
import type { OwnCluster } from '../support/own-cluster.js';
import type { Random } from './random.js';

export type Fault =
  | 'instance stopped and resumed'
  | 'instance killed and restarted'
  | 'subscribers cut'
  | 'master killed'
  | 'master paused';

export const FAULTS: readonly Fault[] = [
  'instance stopped and resumed',
  'instance killed and restarted',
  'subscribers cut',
  'master killed',
  'master paused',
];

/** Injects faults into instances and Redis in sequence, and waits for each recovery. */
export class FaultDriver {
  readonly counts = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]));

  constructor(
    private readonly redis: OwnCluster,
    private readonly instances: readonly Instance[],
    private readonly random: Random,
  ) {}

  /** Runs until it is stopped, and leaves everything repaired. */
  async run(faults: readonly Fault[], isOver: () => boolean): Promise<void> {
    // Each kind once before random ones, so that a short run covers all kinds.
    const due = [...faults];
    while (!isOver()) {
      const fault = due.shift() ?? this.random.pick(faults);
      await this.inject(fault);
      this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
      await delay(this.random.between(50, 500));
    }
  }

  private async inject(fault: Fault): Promise<void> {
    const instance = this.random.pick(this.instances);
    switch (fault) {
      case 'instance stopped and resumed':
        instance.pause();
        await delay(this.random.between(200, 4000));
        instance.resume();
        return;
      case 'instance killed and restarted':
        await instance.kill();
        await instance.restart();
        return;
      case 'subscribers cut':
        for (const port of await this.redis.masters()) {
          await this.redis.cluster.call(port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
        }
        return;
      case 'master killed':
        this.redis.signal(this.random.pick(await this.redis.masters()), 'SIGKILL');
        return this.redis.untilWhole();
      case 'master paused': {
        const master = this.random.pick(await this.redis.masters());
        this.redis.signal(master, 'SIGSTOP');
        await delay(this.random.between(200, 5000));
        this.redis.signal(master, 'SIGCONT');
        return this.redis.untilWhole();
      }
    }
  }
}
