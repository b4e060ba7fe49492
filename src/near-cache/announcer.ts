import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import { ControlLog, type AppendedChange, type MemberNote } from './control-log.js';
import { Membership } from './membership.js';
import { leaseTimeoutMs } from './near-cache.options.js';

const RESEND_INTERVAL_MS = 100;

/**
 * How an announcement ended: `acknowledged`: all members acknowledged the change. `waited-for-lease`: at least one member
 * left, was removed, or its lease expired before it acknowledged.
 */
export type Announcement = 'acknowledged' | 'waited-for-lease';

/** The members that have not acknowledged a change yet. An acknowledgement may arrive before the list of members. */
class PendingAcks {
  private readonly acknowledged = new Set<string>();
  private members: Map<string, MemberNote> | undefined;
  /** Members that left, or were removed, without an acknowledgement. */
  readonly departed: string[] = [];
  private readonly abort = new AbortController();

  constructor(private readonly clock: Clock) {}

  expect(members: Iterable<readonly [string, MemberNote]>): void {
    this.members = new Map([...members].filter(([instance]) => !this.acknowledged.has(instance)));
    this.settle();
  }

  acknowledge(instance: string): void {
    this.acknowledged.add(instance);
    this.members?.delete(instance);
    this.settle();
  }

  get pendingMembers(): ReadonlyMap<string, MemberNote> {
    return this.members ?? new Map<string, MemberNote>();
  }

  /** Waits until all members have acknowledged, at most `ms`. */
  async wait(ms: number): Promise<void> {
    await this.clock.delay(ms, { signal: this.abort.signal }).catch(() => undefined);
  }

  private settle(): void {
    if (this.members?.size === 0) {
      this.abort.abort();
    }
  }
}

/** Announces a change of a subject and waits until no instance can answer from the state before it. */
@Injectable()
export class Announcer {
  private readonly logger = new Logger('NearCache');
  private changes = 0;
  private readonly pendingAcks = new Map<string, PendingAcks>();

  constructor(
    private readonly log: ControlLog,
    private readonly membership: Membership,
    private readonly clock: Clock,
  ) {
    membership.onAcknowledged = (message) => {
      const [number = '', instance = ''] = message.split(' ');
      this.pendingAcks.get(number)?.acknowledge(instance);
    };
  }

  /**
   * Returns when each member has acknowledged the change or its lease has expired.
   *
   * @throws NotConfirmedError when the log could not be written, or when the deadline passes before the last lease expires.
   * Some instances may still answer from the old state
   */
  async announce(subject: string, deadline: Deadline): Promise<Announcement> {
    this.changes += 1;
    const number = String(this.changes);
    const pending = new PendingAcks(this.clock);
    this.pendingAcks.set(number, pending);
    try {
      const message = `${this.membership.instance} ${number} ${subject}`;
      return await this.waitForAcks(subject, message, pending, deadline);
    } finally {
      this.pendingAcks.delete(number);
    }
  }

  private async waitForAcks(
    subject: string,
    message: string,
    pending: PendingAcks,
    deadline: Deadline,
  ): Promise<Announcement> {
    const change = await this.log.announce(subject, message, deadline);
    const appendedAt = this.clock.monotonic();
    pending.acknowledge(this.membership.instance);
    pending.expect(change.members);
    while (pending.pendingMembers.size > 0) {
      const longestLease = Math.max(
        ...[...pending.pendingMembers.values()].map(({ leaseMs }) => leaseMs),
      );
      const leftMs = appendedAt + leaseTimeoutMs(longestLease) - this.clock.monotonic();
      if (leftMs <= 0) {
        // Their leases have expired. They are removed so that the next change does not wait for them.
        this.log.remove(pending.pendingMembers).catch(() => undefined);
        pending.departed.push(...pending.pendingMembers.keys());
        break;
      }
      if (deadline.hasPassed) {
        throw new NotConfirmedError('an instance is silent, and its lease has not run out yet');
      }
      await pending.wait(Math.min(leftMs, RESEND_INTERVAL_MS, deadline.remainingMs));
      if (pending.pendingMembers.size > 0) {
        this.resend(message, change, pending, deadline);
      }
    }
    if (pending.departed.length === 0) {
      return 'acknowledged';
    }
    const waitedMs = Math.round(this.clock.monotonic() - appendedAt);
    this.logger.warn(
      `A change waited ${waitedMs} ms for silent instances: ${pending.departed.join(', ')}`,
    );
    return 'waited-for-lease';
  }

  /**
   * Publishes the change again. Also reads the member list: a member may have applied the change from the log, left, or been
   * removed by another instance.
   */
  private resend(
    message: string,
    change: AppendedChange,
    pending: PendingAcks,
    deadline: Deadline,
  ): void {
    this.log.republish(message);
    this.log
      .members(deadline)
      .then((members) => {
        for (const instance of pending.pendingMembers.keys()) {
          const note = members.get(instance);
          if (!note) {
            pending.departed.push(instance);
          }
          if (!note || note.position >= Number(change.sequence)) {
            pending.acknowledge(instance);
          }
        }
      })
      .catch(() => undefined);
  }
}
