import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { randomInt } from 'node:crypto';

import { Clock } from '../../common/clock/index.js';
import { forEachConcurrently } from '../../common/concurrency/index.js';
import { Deadline, withTimeout } from '../../common/deadline/index.js';
import type { Language } from '../../common/problem/index.js';
import { MetricsRegistry, seriesBy } from '../../metrics/index.js';
import { MAIL_OPTIONS } from '../mail.module-definition.js';
import type { MailOptions } from '../mail.options.js';
import { MAILER, type Mailer } from '../mailer/mailer.js';
import {
  MAIL_TEMPLATES,
  type MailKind,
  type MailTemplates,
  type MailValues,
} from '../templates/mail-templates.js';
import {
  MailOutbox,
  PARTITIONS,
  type AttemptEnd,
  type OutboxEntry,
  type TakenEntry,
} from './mail-outbox.js';

/** Of the instance. The pool of SMTP connections has as many. */
const CONCURRENT_MAILS = 5;
const COMPOSE_TIMEOUT_MS = 5000;
const SEND_TIMEOUT_MS = 20_000;
/** Longer than an attempt. */
const LEASE_MS = 30_000;
/** Longer than a failover. */
const STORE_TIMEOUT_MS = 5000;
/** An instance looks for due mails of others in one partition after the other. */
const POLL_INTERVAL_MS = 5000;
const SHUTDOWN_TIMEOUT_MS = 2000;
const FIRST_RETRY_MS = 10_000;
const MAX_RETRY_MS = 3_600_000;
/** All attempts together take about nine hours. */
export const MAX_ATTEMPTS = 15;

/** A mail without its text. */
export interface ComposedMail {
  readonly to: string;
  readonly kind: MailKind;
  readonly language: Language;
  readonly values: MailValues;
}

/**
 * Determines the mail of an entry, at the moment at which it is sent. It is called again for each attempt.
 *
 * @returns undefined when nothing is to be sent any more
 * @throws when it cannot be determined now: the entry is tried again later
 */
export type MailComposer = (
  data: OutboxEntry['data'],
  deadline: Deadline,
) => Promise<ComposedMail | undefined>;

type Outcome = 'sent' | 'dropped' | 'again' | 'refused' | 'failed';

/** Sends the mails of the outbox. Every instance does so, and each mail is taken by one of them. */
@Injectable()
export class MailDelivery implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Mail');
  private readonly composers = new Map<string, MailComposer>();
  private readonly closing = new AbortController();
  private readonly woken = new Set<string>();
  private wake: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();
  private readonly outcomes: Record<Outcome, number> = {
    sent: 0,
    dropped: 0,
    again: 0,
    refused: 0,
    failed: 0,
  };
  /** Numbers of entries, as last seen in each partition. */
  private readonly seen = new Map<string, { readonly waiting: number; readonly failed: number }>();

  constructor(
    private readonly outbox: MailOutbox,
    private readonly clock: Clock,
    @Inject(MAIL_TEMPLATES) private readonly templates: MailTemplates,
    metrics: MetricsRegistry,
    @Inject(MAIL_OPTIONS) private readonly options: MailOptions,
    @Optional() @Inject(MAILER) private readonly mailer?: Mailer,
  ) {
    metrics.counters(
      'keyslot_mails_total',
      'Attempts to send a mail, by outcome. again: it is repeated later. refused, failed: it was given up. dropped: not needed any more.',
      () => seriesBy('outcome', this.outcomes),
    );
    metrics.gauges(
      'keyslot_mail_outbox_entries',
      'Mails in the outbox of the cluster, by state. NaN while unknown.',
      () => seriesBy('state', { waiting: this.total('waiting'), failed: this.total('failed') }),
    );
  }

  /** Registers who composes the mails of a kind. Call it before the application has started. */
  composeWith(kind: string, composer: MailComposer): void {
    this.composers.set(kind, composer);
  }

  onApplicationBootstrap(): void {
    if (this.mailer && this.options.doesDueWork !== false) {
      this.outbox.onAdded = (partition) => {
        this.woken.add(partition);
        this.wake();
      };
      this.running = this.run(this.mailer);
    }
  }

  /** Mails that are not sent in time are sent by another instance, or after the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    this.closing.abort();
    this.wake();
    await withTimeout(SHUTDOWN_TIMEOUT_MS, this.running).catch(() => undefined);
  }

  private async run(mailer: Mailer): Promise<void> {
    // Instances that start together look into different partitions.
    let next = randomInt(PARTITIONS.length);
    let pollAt = this.clock.monotonic();
    // At the start, mails may have been waiting for long.
    PARTITIONS.forEach((partition) => this.woken.add(partition));
    while (!this.closing.signal.aborted) {
      if (this.clock.monotonic() >= pollAt) {
        this.woken.add(PARTITIONS[next % PARTITIONS.length]!);
        next += 1;
        pollAt = this.clock.monotonic() + POLL_INTERVAL_MS;
      }
      const partitions = [...this.woken];
      this.woken.clear();
      for (const partition of partitions) {
        await this.deliverDue(mailer, partition).catch(({ message }: Error) =>
          this.logger.warn(`Mails could not be sent: ${message}`),
        );
      }
      if (this.woken.size === 0) {
        await this.wait(pollAt - this.clock.monotonic());
      }
    }
  }

  private async wait(ms: number): Promise<void> {
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, this.closing.signal]);
    this.wake = () => waiting.abort();
    await this.clock.delay(Math.max(0, ms), { signal, ref: false }).catch(() => undefined);
  }

  private async deliverDue(mailer: Mailer, partition: string): Promise<void> {
    for (let isMore = true; isMore && !this.closing.signal.aborted;) {
      const deadline = Deadline.after(STORE_TIMEOUT_MS);
      const taken = await this.outbox.take(partition, CONCURRENT_MAILS, LEASE_MS, deadline);
      this.seen.set(partition, taken);
      await forEachConcurrently(taken.entries, CONCURRENT_MAILS, async (entry) =>
        this.deliver(mailer, entry),
      );
      isMore = taken.entries.length === CONCURRENT_MAILS;
    }
  }

  private async deliver(mailer: Mailer, entry: TakenEntry): Promise<void> {
    const { id: mailId, kind, attempt } = entry;
    let end: AttemptEnd;
    let outcome: Outcome;
    try {
      const sent = await this.send(mailer, entry);
      outcome = sent.outcome;
      end =
        sent.outcome === 'refused'
          ? { outcome: 'failed', reason: sent.reason }
          : { outcome: 'sent' };
    } catch (error) {
      const reason = (error as Error).message;
      outcome = attempt < MAX_ATTEMPTS ? 'again' : 'failed';
      end =
        outcome === 'failed'
          ? { outcome, reason }
          : { outcome: 'again', reason, delayMs: delayAfter(attempt) };
    }
    if (end.outcome !== 'sent') {
      this.logger.warn({
        msg: 'A mail was not sent.',
        mailId,
        kind,
        attempt,
        outcome,
        reason: end.reason,
      });
    }
    try {
      await this.outbox.end(entry, end, Deadline.after(STORE_TIMEOUT_MS));
    } finally {
      this.outcomes[outcome] += 1;
    }
  }

  private async send(
    mailer: Mailer,
    { id, kind, data }: TakenEntry,
  ): Promise<{ outcome: 'sent' | 'dropped' } | { outcome: 'refused'; reason: string }> {
    const compose = this.composers.get(kind);
    if (!compose) {
      // Of another version.
      throw new Error(`no composer for mails of the kind ${kind}`);
    }
    const mail = await compose(data, Deadline.after(COMPOSE_TIMEOUT_MS));
    if (!mail) {
      return { outcome: 'dropped' };
    }
    const content = await this.templates.render(mail.kind, mail.language, mail.values);
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]);
    const work = mailer.send({ id, to: mail.to, ...content }, signal);
    // A mailer may ignore the signal.
    const result = await withTimeout(SEND_TIMEOUT_MS, work, { signal });
    return result.outcome === 'accepted' ? { outcome: 'sent' } : result;
  }

  private total(state: 'waiting' | 'failed'): number {
    return PARTITIONS.reduce((sum, one) => sum + (this.seen.get(one)?.[state] ?? NaN), 0);
  }
}

function delayAfter(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 3 ** (attempt - 1), MAX_RETRY_MS);
}
