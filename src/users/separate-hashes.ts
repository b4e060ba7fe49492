import { Injectable } from '@nestjs/common';

import { Deadline } from '../common/deadline/index.js';
import { UserReader } from '../user-slot/read/index.js';
import { UserWriter } from '../user-slot/write/index.js';

/** The limit leaves capacity for the requests of running instances. */
const CONCURRENCY = 64;
/** Longer than a failover. */
const TIMEOUT_MS = 10_000;

/** Moves the password hashes of users of earlier versions to keys that the Redis user of a service cannot read. */
@Injectable()
export class SeparateHashes {
  constructor(
    private readonly reader: UserReader,
    private readonly writer: UserWriter,
  ) {}

  /**
   * Repeating it is safe.
   *
   * @returns the number of users whose hash was moved
   * @throws RedisUnavailableError, MissingRightError, NotConfirmedError: some hashes may not have been moved
   */
  async run(): Promise<number> {
    const ids = (await this.reader.ids(Deadline.none)).values();
    let moved = 0;
    const work = async (): Promise<void> => {
      for (const id of ids) {
        const isMoved = await this.writer.separateHash(id, Deadline.after(TIMEOUT_MS));
        moved += isMoved ? 1 : 0;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    return moved;
  }
}
