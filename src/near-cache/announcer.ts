import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import { ControlLog, type AppendedChange, type MemberNote } from './control-log.js';
import { Membership } from './membership.js';
import { silenceMs } from './near-cache.options.js';

const REMIND_EVERY_MS = 100;

/** How a change came to be known everywhere: said by all, or some were silent until they had gone. */
export type Announcement = 'acknowledged' | 'waited-for-lease';

/** The instances that a change still has to wait for. Acknowledgements may come before the list of members does. */
class Awaited {
  private readonly acknowledged = new Set<string>();
  private missing: Map<string, MemberNote> | undefined;
  /** Instances that said nothing until they were gone from the list. */
  readonly gone: string[] = [];
  private readonly abort = new AbortController();

  constructor(private readonly clock: Clock) {}

  expect(members: Iterable<readonly [string, MemberNote]>): void {
    this.missing = new Map([...members].filter(([instance]) => !this.acknowledged.has(instance)));
    this.settle();
  }

  done(instance: string): void {
    this.acknowledged.add(instance);
    this.missing?.delete(instance);
    this.settle();
  }

  get missingMembers(): ReadonlyMap<string, MemberNote> {
    return this.missing ?? new Map<string, MemberNote>();
  }

  /** Until nobody is missing, but not for longer than this. */
  async wait(ms: number): Promise<void> {
    await this.clock.delay(ms, { signal: this.abort.signal }).catch(() => undefined);
  }

  private settle(): void {
    if (this.missing?.size === 0) {
      this.abort.abort();
    }
  }
}

/** Tells every instance that a subject has changed, and waits until none can answer from what it was before. */
@Injectable()
export class Announcer {
  private readonly logger = new Logger('NearCache');
  private changes = 0;
  private readonly underWay = new Map<string, Awaited>();

  constructor(
    private readonly log: ControlLog,
    private readonly membership: Membership,
    private readonly clock: Clock,
  ) {
    membership.onApplied = (message) => {
      const [number = '', instance = ''] = message.split(' ');
      this.underWay.get(number)?.done(instance);
    };
  }

  /**
   * @returns when each member has applied the change, or has been silent for longer than its lease
   * @throws NotConfirmedError when the log could not be written, or a lease is too long to wait for: somebody may not know
   */
  async announce(subject: string, deadline: Deadline): Promise<Announcement> {
    this.changes += 1;
    const number = String(this.changes);
    const awaited = new Awaited(this.clock);
    this.underWay.set(number, awaited);
    try {
      const message = `${this.membership.instance} ${number} ${subject}`;
      return await this.untilKnown(subject, message, awaited, deadline);
    } finally {
      this.underWay.delete(number);
    }
  }

  private async untilKnown(
    subject: string,
    message: string,
    awaited: Awaited,
    deadline: Deadline,
  ): Promise<Announcement> {
    const change = await this.log.announce(subject, message, deadline);
    const appendedAt = this.clock.monotonic();
    awaited.done(this.membership.instance);
    awaited.expect(change.members);
    while (awaited.missingMembers.size > 0) {
      const longestLease = Math.max(
        ...[...awaited.missingMembers.values()].map(({ leaseMs }) => leaseMs),
      );
      const leftMs = appendedAt + silenceMs(longestLease) - this.clock.monotonic();
      if (leftMs <= 0) {
        // They have run out of trust by their own clocks. So that the next change need not wait for them as well:
        this.log.remove(awaited.missingMembers).catch(() => undefined);
        awaited.gone.push(...awaited.missingMembers.keys());
        break;
      }
      if (deadline.hasPassed) {
        throw new NotConfirmedError('an instance is silent, and its lease has not run out yet');
      }
      await awaited.wait(Math.min(leftMs, REMIND_EVERY_MS, deadline.remainingMs));
      if (awaited.missingMembers.size > 0) {
        this.remind(message, change, awaited, deadline);
      }
    }
    if (awaited.gone.length === 0) {
      return 'acknowledged';
    }
    const waitedMs = Math.round(this.clock.monotonic() - appendedAt);
    this.logger.warn(
      `A change waited ${waitedMs} ms for silent instances: ${awaited.gone.join(', ')}`,
    );
    return 'waited-for-lease';
  }

  /** Says it again, and reads who has learnt it from the log, has left, or was found silent by somebody else. */
  private remind(
    message: string,
    change: AppendedChange,
    awaited: Awaited,
    deadline: Deadline,
  ): void {
    this.log.repeat(message);
    this.log
      .members(deadline)
      .then((members) => {
        for (const instance of awaited.missingMembers.keys()) {
          const note = members.get(instance);
          if (!note) {
            awaited.gone.push(instance);
          }
          if (!note || note.position >= Number(change.sequence)) {
            awaited.done(instance);
          }
        }
      })
      .catch(() => undefined);
  }
}
