import { setTimeout as delay } from 'node:timers/promises';

import type { Instance } from '../support/instance.js';
import { Client, type LightMember } from './client.js';
import type { History } from './history.js';
import { Random } from './random.js';

/** Requests of each user before a new user replaces it. */
const STEPS_PER_USER = 60;
/** The pause between two requests of a client, which leaves CPU time for the servers. */
const MAX_PAUSE_MS = 20;

/** Clients that register, log in, read, change, refresh and log out concurrently. */
export class Load {
  private readonly clients: Client[] = [];
  private isOver = false;
  private readonly work: Promise<unknown>;

  constructor(
    private readonly instances: readonly Instance[],
    private readonly history: History,
    seed: number,
    workers: number,
    /** The number of concurrent users, over all workers. */
    users = workers,
    private readonly lightMembers: readonly LightMember[] = [],
  ) {
    const usersEach = Math.ceil(users / workers);
    this.work = Promise.all(
      Array.from({ length: workers }, async (_, worker) =>
        // A random source for each worker, so that one client's choices do not depend on the timing of others.
        this.keepWorking(new Random(seed + 1 + worker), usersEach),
      ),
    );
  }

  /** The number of users so far. */
  get users(): number {
    return this.clients.filter(({ isRegistered }) => isRegistered).length;
  }

  /** Starts no further requests. Returns when every pending request has been answered. */
  async stop(): Promise<void> {
    this.isOver = true;
    await this.work;
    await Promise.all(this.clients.map(async (client) => client.settle()));
  }

  /** Stops, and then checks everything again. */
  async finish(): Promise<void> {
    await this.stop();
    const left = [...this.clients];
    const next = async (): Promise<void> => {
      for (let client = left.pop(); client; client = left.pop()) {
        await client.verify();
      }
    };
    await Promise.all([next(), next(), next(), next()]);
    await Promise.all(this.clients.map(async (client) => client.settle()));
  }

  private async keepWorking(random: Random, users: number): Promise<void> {
    while (!this.isOver) {
      const clients = Array.from(
        { length: users },
        () => new Client(this.instances, this.history, random, this.lightMembers),
      );
      this.clients.push(...clients);
      const next = [...clients];
      for (let step = 0; step < STEPS_PER_USER * users && !this.isOver; step += 1) {
        await (next.shift() ?? random.pick(clients)).step();
        await delay(random.between(0, MAX_PAUSE_MS));
      }
    }
  }
}
