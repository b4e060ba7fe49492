import { Injectable, Logger } from '@nestjs/common';
import { once } from 'node:events';

import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import type { Holder } from './directory.js';
import { Inboxes, type Post } from './inboxes.js';
import { Membership } from './membership.js';
import { leaseTimeoutMs } from './near-cache.options.js';

const RESEND_INTERVAL_MS = 100;
/** If the shard of an inbox does not answer within this time, the announcer asks whether the instance is retired. */
const POST_TIMEOUT_MS = 500;
/** Limits the posts of a change without a deadline. It is longer than the deadline of a request. */
const POST_BUDGET_MS = 10_000;

/**
 * How an announcement ended: `acknowledged`: all holders have applied the change, or hold nothing any more.
 * `waited-for-lease`: at least one holder did not acknowledge before its lease expired.
 */
export type Announcement = 'acknowledged' | 'waited-for-lease';

/** The acknowledgements of one announcement. */
class Acknowledgements {
  private readonly waits = new Map<string, AbortController>();

  constructor(private readonly clock: Clock) {}

  /** Waits for the acknowledgement of an instance, at most `ms`. @returns whether it came */
  async wait(instance: string, ms: number): Promise<boolean> {
    const { signal } = this.of(instance);
    await this.clock.delay(ms, { signal }).catch(() => undefined);
    return signal.aborted;
  }

  /** Resolves when the acknowledgement of an instance arrives. */
  async received(instance: string): Promise<void> {
    const { signal } = this.of(instance);
    if (!signal.aborted) {
      await once(signal, 'abort');
    }
  }

  has(instance: string): boolean {
    return this.of(instance).signal.aborted;
  }

  receive(instance: string): void {
    this.of(instance).abort();
  }

  private of(instance: string): AbortController {
    const wait = this.waits.get(instance) ?? new AbortController();
    this.waits.set(instance, wait);
    return wait;
  }
}

/** Announces a change of a subject to its holders, and waits until none of them can answer from the old state. */
@Injectable()
export class Announcer {
  private readonly logger = new Logger('NearCache');
  private announcements = 0;
  private readonly pending = new Map<string, Acknowledgements>();

  constructor(
    private readonly inboxes: Inboxes,
    private readonly membership: Membership,
    private readonly clock: Clock,
  ) {
    membership.onAcknowledged = (message) => {
      const [number = '', instance = ''] = message.split(' ');
      this.pending.get(number)?.receive(instance);
    };
  }

  /**
   * Returns when each holder has acknowledged the change, or its lease has expired. The caller must first invalidate the
   * subject in the memory of this instance.
   *
   * @param onSettled called for each other holder, when it cannot answer from the old state any more
   * @throws NotConfirmedError when an inbox could not be written, or when the deadline passes before the last lease expires.
   * Some instances may still answer from the old state
   */
  async announce(
    subject: string,
    holders: readonly Holder[],
    deadline: Deadline,
    onSettled: (instance: string, outcome: Announcement) => void = () => undefined,
  ): Promise<Announcement> {
    const others = holders.filter(({ instance }) => !this.membership.isOwn(instance));
    if (others.length === 0) {
      return 'acknowledged';
    }
    this.announcements += 1;
    const number = String(this.announcements);
    const message = `${this.membership.holder.instance} ${number} ${subject}`;
    const acknowledgements = new Acknowledgements(this.clock);
    this.pending.set(number, acknowledgements);
    try {
      const results = await Promise.all(
        others.map(async (holder) => {
          const outcome = await this.tell(holder, message, acknowledgements, deadline);
          onSettled(holder.instance, outcome);
          return outcome;
        }),
      );
      return results.includes('waited-for-lease') ? 'waited-for-lease' : 'acknowledged';
    } finally {
      this.pending.delete(number);
    }
  }

  private async tell(
    holder: Holder,
    message: string,
    acknowledgements: Acknowledgements,
    deadline: Deadline,
  ): Promise<Announcement> {
    const { instance, leaseMs } = holder;
    const posting = this.post(instance, message, () => acknowledgements.has(instance), deadline);
    // The post is published before its reply arrives: the WAIT after it takes longer than a quick acknowledgement.
    const post = await Promise.race([posting, acknowledgements.received(instance)]);
    if (!post) {
      posting.catch(() => undefined);
      return 'acknowledged';
    }
    const leaseEndsAt = this.clock.monotonic() + leaseTimeoutMs(leaseMs);
    for (;;) {
      const leftMs = leaseEndsAt - this.clock.monotonic();
      if (leftMs <= 0) {
        this.closeSilent(instance, post);
        this.logger.warn(`A change waited for the lease of the silent instance ${instance}.`);
        return 'waited-for-lease';
      }
      if (deadline.hasPassed) {
        // If nobody waited for the lease, a caller with short deadlines could repeat the change without end.
        void this.clock.delay(leftMs, { ref: false }).then(() => this.closeSilent(instance, post));
        throw new NotConfirmedError('a holder is silent, and its lease has not run out yet');
      }
      const waitMs = Math.min(leftMs, RESEND_INTERVAL_MS, deadline.remainingMs);
      if (await acknowledgements.wait(instance, waitMs)) {
        return 'acknowledged';
      }
      this.inboxes
        .postAgain(instance, message, post, deadline)
        .then((isApplied) => (isApplied ? acknowledgements.receive(instance) : undefined))
        .catch(() => undefined);
    }
  }

  /** The lease has expired. If the holder renewed it after the post, it has applied the post, and the inbox stays open. */
  private closeSilent(instance: string, { renewal }: Post): void {
    this.inboxes.close(instance, renewal).catch(() => undefined);
  }

  /**
   * Posts a message, and tries again until the inbox answers or the deadline passes.
   *
   * @param isAcknowledged then it does not try again
   * @returns undefined when the instance holds nothing any more
   */
  private async post(
    instance: string,
    message: string,
    isAcknowledged: () => boolean,
    deadline: Deadline,
  ): Promise<Post | undefined> {
    const end = deadline.within(POST_BUDGET_MS);
    for (;;) {
      try {
        return await this.inboxes.post(instance, message, end.within(POST_TIMEOUT_MS));
      } catch (error) {
        const soon = end.within(POST_TIMEOUT_MS);
        if (isAcknowledged() || (await this.inboxes.isRetired(instance, soon).catch(() => false))) {
          return undefined;
        }
        if (end.hasPassed) {
          throw error;
        }
        await this.clock.delay(RESEND_INTERVAL_MS);
      }
    }
  }
}
