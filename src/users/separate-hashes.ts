import { Injectable } from '@nestjs/common';

import { forEachConcurrently } from '../common/concurrency/index.js';
import { Deadline } from '../common/deadline/index.js';
import { UserReader } from '../user-slot/read/index.js';
import { UserWriter } from '../user-slot/write/index.js';

/** The limit leaves capacity for the requests of running instances. */
const CONCURRENCY = 64;
/** Longer than a failover. */
const TIMEOUT_MS = 10_000;

/** Numbers of users. */
export interface SeparatedHashes {
  readonly moved: number;
  /** Hashes of users whom an instance of an earlier version has deleted. */
  readonly deleted: number;
}

/**
 * Moves the password hashes of users of earlier versions to keys that the Redis user of a service cannot read, and deletes the
 * hashes that earlier versions have left behind.
 */
@Injectable()
export class SeparateHashes {
  constructor(
    private readonly reader: UserReader,
    private readonly writer: UserWriter,
  ) {}

  /**
   * Repeating it is safe.
   *
   * @throws RedisUnavailableError, MissingRightError, NotConfirmedError: some hashes may not have been moved or deleted
   */
  async run(): Promise<SeparatedHashes> {
    const ids = new Set([
      ...(await this.reader.ids(Deadline.none)),
      ...(await this.reader.idsWithHash(Deadline.none)),
    ]);
    const counts = { moved: 0, deleted: 0, unchanged: 0 };
    await forEachConcurrently(ids, CONCURRENCY, async (id) => {
      counts[await this.writer.separateHash(id, Deadline.after(TIMEOUT_MS))] += 1;
    });
    return counts;
  }
}
