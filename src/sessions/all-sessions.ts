import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/index.js';
import { Deadline } from '../common/deadline/index.js';
import { Origin } from '../common/origin/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import { UsersService } from '../users/index.js';

/** Concurrent changes share round trips. The limit leaves capacity for the requests of running instances. */
const CONCURRENCY = 64;
/** Longer than the lease of a crashed instance. */
const ATTEMPT_TIMEOUT_MS = 5000;
/** An attempt takes at least 1.5 s until it fails, so that all attempts together take longer than a failover. */
const MAX_ATTEMPTS = 5;
/** After this many failed users it stops, because Redis is probably unavailable and each failure takes time. */
const MAX_FAILURES = 100;

export interface Progress {
  readonly users: number;
  readonly of: number;
}

export interface AllSessionsEnded {
  /** Number of users whose sessions have ended on every instance. */
  readonly users: number;
  /** Failed users, with the last error of each. */
  readonly failures: ReadonlyMap<string, Error>;
  /** Whether every user was tried. */
  readonly isComplete: boolean;
}

/** Ends the sessions of all users. Operators use it after a restore, or when tokens may have leaked. */
@Injectable()
export class AllSessions {
  constructor(
    private readonly users: UsersService,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Ends, on every instance, all sessions that exist at its start. A user who logs in while it runs may have to log in again.
   * Repeating it is safe.
   *
   * @param onProgress called after each user
   * @throws RedisUnavailableError, MissingRightError
   */
  async end(onProgress: (progress: Progress) => void = () => undefined): Promise<AllSessionsEnded> {
    const ids = await this.users.allIds(Deadline.none);
    const failures = new Map<string, Error>();
    let users = 0;
    let tried = 0;
    const queue = ids.values();
    const work = async (): Promise<void> => {
      for (const id of queue) {
        tried += 1;
        try {
          const isUser = await this.endOf(id);
          // A user who was just deleted has no sessions.
          users += isUser ? 1 : 0;
        } catch (error) {
          failures.set(id, error as Error);
        }
        onProgress({ users, of: ids.size });
        if (failures.size >= MAX_FAILURES) {
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    this.audit.record({
      type: 'all-sessions-ended',
      result: failures.size === 0 && tried === ids.size ? 'success' : 'failure',
      reason: failures.size === 0 && tried === ids.size ? undefined : 'incomplete',
      ...Origin.operator.facts,
      details: { users, failed: failures.size, notTried: ids.size - tried },
    });
    return { users, failures, isComplete: tried === ids.size };
  }

  private async endOf(userId: string): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.users.endSessions(userId, undefined, Deadline.after(ATTEMPT_TIMEOUT_MS));
      } catch (error) {
        if (!(error instanceof NotConfirmedError) || attempt === MAX_ATTEMPTS) {
          throw error;
        }
      }
    }
  }
}
