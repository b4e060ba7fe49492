import { Inject, Injectable, Optional } from '@nestjs/common';
import { createHash } from 'node:crypto';

import type { Deadline } from '../../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../../redis-cluster/index.js';
import { MAILER, type Mailer } from '../mailer/mailer.js';

/** Slots of the outbox, so that it is spread over the shards. */
export const PARTITIONS: readonly string[] = ['0', '1', '2', '3'];
/** How long an entry that was given up can be listed and retried. */
export const FAILED_RETENTION_MS = 7 * 24 * 3_600_000;
/** Longer than all attempts together, and than the retention of what was given up. */
const KEY_TTL_MS = 14 * 24 * 3_600_000;
/** Longer than the delay of a late write. */
const SENT_TTL_MS = 2 * 3_600_000;

const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  add: load('add-mail', (reply) => reply === 1),
  take: load('take-due-mails', parseTaken),
  end: load('end-mail-attempt', (reply) => reply === 1),
  listFailed: load('list-failed-mails', parseFailed),
  retryFailed: load('retry-failed-mails', Number),
};

/** What is to be sent. The address and the text are determined when it is sent, and so are tokens: none is stored. */
export interface OutboxEntry {
  /** An entry with a known id is not added again. Letters, digits, `.`, `_` and `-`. */
  readonly id: string;
  /** The kind whose composer makes the mail, see `MailDelivery.composeWith`. */
  readonly kind: string;
  /** Becomes JSON. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Time until it is due. Default 0. */
  readonly delayMs?: number;
}

export interface TakenEntry extends Pick<OutboxEntry, 'id' | 'kind' | 'data'> {
  /** Number of this attempt, from 1. */
  readonly attempt: number;
}

export interface TakenEntries {
  readonly entries: readonly TakenEntry[];
  /** Number of entries of the partition that wait. */
  readonly waiting: number;
  /** Number of entries of the partition that were given up. */
  readonly failed: number;
}

export interface FailedEntry extends TakenEntry {
  readonly reason: string;
  readonly failedAt: Date;
}

export type AttemptEnd =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'failed'; readonly reason: string }
  | { readonly outcome: 'again'; readonly reason: string; readonly delayMs: number };

/** The mails that have to be sent, in Redis. Instances take them with a lease, so that a crash loses none. */
@Injectable()
export class MailOutbox {
  /** @internal Called when an entry of a partition is due. */
  onAdded: (partition: string) => void = () => undefined;

  constructor(
    private readonly redis: RedisCluster,
    @Optional() @Inject(MAILER) private readonly mailer?: Mailer,
  ) {}

  /** Whether mails can be sent: `MAIL_URL` is set, or the instance is in development. Otherwise nothing may be added. */
  get isConfigured(): boolean {
    return this.mailer !== undefined;
  }

  /**
   * Adds an entry. When it returns, the mail is not lost any more. An entry with this id that waits for its first attempt becomes due
   * earlier, never later.
   *
   * @throws NotConfirmedError
   */
  async add({ id, kind, data, delayMs = 0 }: OutboxEntry, deadline: Deadline): Promise<void> {
    const partition = partitionOf(id);
    const { due, entries, sent } = this.keysOf(partition);
    const args = [id, kind, JSON.stringify(data), delayMs, KEY_TTL_MS];
    await this.redis.runDurably(scripts.add, [due, entries, sent], args, deadline);
    if (delayMs === 0) {
      this.onAdded(partition);
    } else {
      // Otherwise this mail would wait for the next look into its partition.
      setTimeout(() => this.onAdded(partition), delayMs).unref();
    }
  }

  /**
   * @param partition one of PARTITIONS
   * @param leaseMs time after which others may take the entries
   * @throws RedisUnavailableError
   */
  async take(
    partition: string,
    limit: number,
    leaseMs: number,
    deadline: Deadline,
  ): Promise<TakenEntries> {
    const { due, entries, failed } = this.keysOf(partition);
    const args = [limit, leaseMs, FAILED_RETENTION_MS, KEY_TTL_MS];
    return this.redis.run(scripts.take, [due, entries, failed], args, deadline);
  }

  /** Notes how the attempt has ended. @throws NotConfirmedError: the entry becomes due when its lease has ended */
  async end({ id, attempt }: TakenEntry, end: AttemptEnd, deadline: Deadline): Promise<void> {
    const { due, entries, failed, sent } = this.keysOf(partitionOf(id));
    const reason = end.outcome === 'sent' ? '' : end.reason;
    const delayMs = end.outcome === 'again' ? end.delayMs : 0;
    const args = [id, attempt, end.outcome, reason, delayMs, SENT_TTL_MS, KEY_TTL_MS];
    await this.redis.runDurably(scripts.end, [due, entries, failed, sent], args, deadline);
  }

  /** The entries that were given up, the oldest first. @throws RedisUnavailableError */
  async failed(deadline: Deadline): Promise<readonly FailedEntry[]> {
    const lists = await Promise.all(
      PARTITIONS.map(async (partition) => {
        const { failed, entries } = this.keysOf(partition);
        return this.redis.run(scripts.listFailed, [failed, entries], [], deadline);
      }),
    );
    return lists.flat().sort((one, other) => one.failedAt.getTime() - other.failedAt.getTime());
  }

  /** Makes all entries due that were given up. @returns how many @throws NotConfirmedError */
  async retryFailed(deadline: Deadline): Promise<number> {
    const counts = await Promise.all(
      PARTITIONS.map(async (partition) => {
        const { due, entries, failed } = this.keysOf(partition);
        const keys = [due, entries, failed];
        const count = await this.redis.runDurably(
          scripts.retryFailed,
          keys,
          [KEY_TTL_MS],
          deadline,
        );
        this.onAdded(partition);
        return count;
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  private keysOf(
    partition: string,
  ): Readonly<Record<'due' | 'entries' | 'failed' | 'sent', string>> {
    const key = (part: string): string => this.redis.keys.key(['mail-outbox', partition], part);
    return { due: key('due'), entries: key('entries'), failed: key('failed'), sent: key('sent') };
  }
}

function partitionOf(id: string): string {
  return PARTITIONS[createHash('sha256').update(id).digest()[0]! % PARTITIONS.length]!;
}

function parseTaken(reply: unknown): TakenEntries {
  const [waiting = 0, failed = 0, ...values] = reply as [number, number, ...(string | number)[]];
  const entries: TakenEntry[] = [];
  for (let index = 0; index < values.length; index += 4) {
    entries.push(entryOf(values.slice(index, index + 4)));
  }
  return { entries, waiting, failed };
}

function parseFailed(reply: unknown): FailedEntry[] {
  const values = reply as (string | number)[];
  return Array.from({ length: values.length / 6 }, (_, index) => {
    const own = values.slice(index * 6, (index + 1) * 6);
    return { ...entryOf(own), reason: String(own[4]), failedAt: new Date(Number(own[5])) };
  });
}

function entryOf([id, kind, data, attempt]: readonly (string | number)[]): TakenEntry {
  return {
    id: String(id),
    kind: String(kind),
    data: JSON.parse(String(data)) as OutboxEntry['data'],
    attempt: Number(attempt),
  };
}
