import {
  Inject,
  Injectable,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';

import { randomInt } from 'node:crypto';

import { Clock } from '../../common/clock/index.js';
import { forEachConcurrently } from '../../common/concurrency/index.js';
import { Deadline } from '../../common/deadline/index.js';
import { USERS_OPTIONS } from '../users.module-definition.js';
import type { UsersOptions } from '../users.options.js';
import { USER_STORE, type UserStore } from '../store/user-store.js';
import { DirectoryIndex, PARTITIONS } from './directory-index.js';
import { RedisUserDirectory } from './redis-user-directory.js';

/** All parts are checked within a minute. */
const INTERVAL_MS = 60_000 / PARTITIONS.length;
/** So many entries become due in a minute only after a crash under load. */
const ENTRIES_PER_CHECK = 100;
/** The limit leaves capacity for requests. */
const CONCURRENCY = 8;
const TIMEOUT_MS = 3000;

/**
 * Corrects the entries that are due: those of changes whose instance has crashed, or could not reach Redis. Every instance checks
 * one part of the directory after the other. Each entry is taken by one of them.
 */
@Injectable()
export class DirectoryCheck implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly closing = new AbortController();

  constructor(
    private readonly index: DirectoryIndex,
    private readonly directory: RedisUserDirectory,
    private readonly clock: Clock,
    @Inject(USERS_OPTIONS) private readonly options: UsersOptions,
    @Optional() @Inject(USER_STORE) private readonly store?: UserStore,
  ) {}

  onApplicationBootstrap(): void {
    // Users of another store are not in this directory.
    if (!this.store && this.options.doesDueWork !== false) {
      void this.run();
    }
  }

  beforeApplicationShutdown(): void {
    this.closing.abort();
  }

  /**
   * Corrects the due entries of one part. An entry that cannot be corrected becomes due again, and does not delay the others.
   *
   * @throws RedisUnavailableError
   */
  async check(partition: string): Promise<void> {
    const due = await this.index.takeDue(partition, ENTRIES_PER_CHECK, Deadline.after(TIMEOUT_MS));
    await forEachConcurrently(due, CONCURRENCY, async (userId) =>
      this.directory.correct(userId, Deadline.after(TIMEOUT_MS)).catch(() => undefined),
    );
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    // Instances that start together check different parts.
    for (let part = randomInt(PARTITIONS.length); !signal.aborted; part += 1) {
      await this.clock.delay(INTERVAL_MS, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) {
        await this.check(PARTITIONS[part % PARTITIONS.length]!).catch(() => undefined);
      }
    }
  }
}
