import { Inject, Injectable } from '@nestjs/common';

import { Deadline } from '../common/deadline/index.js';
import { sha256 } from '../common/digest/index.js';
import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import { NEAR_CACHE_DEFAULTS, type NearCacheOptions } from './near-cache.options.js';

/** All keys of the log share one slot, so that one script can do each step. */
const TAG = ['near-cache', 'control'] as const;
/** An instance that was disconnected for longer joins with empty memory. Far longer than a lease. */
const LOG_RETENTION_MS = 60_000;
/** Maximum time from sending a write to its arrival. Its sender has timed out long before. */
const MAX_WRITE_DELAY_MS = 30_000;
/** An instance that has missed more changes joins with empty memory instead of applying them. */
const MAX_CHANGES = 10_000;

const load = LuaScript.loaderFor(import.meta.url);
const renewLease = load('renew-lease', parseRenewal);
const appendChange = load('append-change', parseAppended);
const beginChange = load('begin-change', String);
const findChanges = load('find-changes', parseUnfinished);
const finishChanges = load('finish-changes', Number);
const listMembers = load('list-members', (reply) => parseMembers(reply as string[]));
const removeMembers = load('remove-members', Number);

/** The entry of a member in the log. It changes with every renewal. */
export interface MemberNote {
  /** The stored text. It shows whether the note has changed. */
  readonly text: string;
  /** A sequence number. The member has applied every change up to it. */
  readonly position: number;
  readonly leaseMs: number;
}

export type Members = ReadonlyMap<string, MemberNote>;

export interface RenewalRequest {
  readonly instance: string;
  readonly leaseMs: number;
  /** Each instance counts its own renewals. */
  readonly number: number;
  /** The instance has applied every change up to here; undefined to join with empty memory. */
  readonly position: string | undefined;
}

export interface Renewal {
  /** The instance has joined and must empty its memory. */
  readonly hasJoined: boolean;
  readonly position: string;
  readonly members: Members;
  /** Subjects that have changed since the old position. */
  readonly changes: readonly string[];
}

export interface UnfinishedChanges {
  readonly count: number;
  /** Those whose writes have arrived by now, or never will. */
  readonly abandoned: readonly string[];
}

export interface AppendedChange {
  readonly sequence: string;
  readonly members: Members;
}

/** The part of the protocol that is stored in Redis: the members with their leases, and the changes. */
@Injectable()
export class ControlLog {
  private readonly unfinishedRetentionMs: number;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(NEAR_CACHE_OPTIONS) options: NearCacheOptions,
  ) {
    // After the maximum age of an entry, no instance remembers a state from before the change.
    this.unfinishedRetentionMs = 2 * (options.maxAgeMs ?? NEAR_CACHE_DEFAULTS.maxAgeMs);
  }

  /** The channel on which changes are published. */
  get changesChannel(): string {
    return this.key('changed');
  }

  /** The channel on which other instances acknowledge the changes of an instance. */
  ackChannel(instance: string): string {
    return this.key('applied', instance);
  }

  /** @throws NotConfirmedError */
  async renew(request: RenewalRequest): Promise<Renewal> {
    const { instance, leaseMs, number, position = '' } = request;
    return this.redis.runDurably(
      renewLease,
      [this.key('members'), this.key('sequence'), this.key('log')],
      [instance, leaseMs, number, position, LOG_RETENTION_MS, MAX_CHANGES],
      Deadline.none,
    );
  }

  /**
   * Records that a change of a subject begins.
   *
   * @returns the sequence number of the change
   * @throws NotConfirmedError
   */
  async begin(subject: string, deadline: Deadline): Promise<string> {
    const keys = [this.key('sequence'), this.unfinishedKey(subject)];
    return this.redis.runDurably(beginChange, keys, [this.unfinishedRetentionMs], deadline);
  }

  /** Appends a change to the log and publishes it. @throws NotConfirmedError */
  async announce(subject: string, message: string, deadline: Deadline): Promise<AppendedChange> {
    return this.redis.runDurably(
      appendChange,
      [this.key('members'), this.key('sequence'), this.key('log'), this.changesChannel],
      [subject, LOG_RETENTION_MS, message],
      deadline,
    );
  }

  /** Publishes a message again, for members that did not receive it. */
  republish(message: string): void {
    this.redis.publish(this.changesChannel, message);
  }

  /** @throws RedisUnavailableError */
  async members(deadline: Deadline): Promise<Members> {
    return this.redis.run(listMembers, [this.key('members')], [], deadline);
  }

  /** The unfinished changes of a subject, from all instances. @throws NotConfirmedError */
  async unfinished(subject: string, deadline: Deadline): Promise<UnfinishedChanges> {
    const keys = [this.unfinishedKey(subject), this.key('fence')];
    return this.redis.runDurably(findChanges, keys, [MAX_WRITE_DELAY_MS], deadline);
  }

  async finish(subject: string, sequences: readonly string[]): Promise<void> {
    if (sequences.length > 0) {
      await this.redis.run(finishChanges, [this.unfinishedKey(subject)], sequences, Deadline.none);
    }
  }

  /** Removes members whose notes have not changed since the caller read them. */
  async remove(members: Members): Promise<void> {
    const pairs = [...members].flatMap(([instance, { text }]) => [instance, text]);
    await this.redis.runDurably(removeMembers, [this.key('members')], pairs, Deadline.none);
  }

  private unfinishedKey(subject: string): string {
    return this.key('unfinished', sha256(subject));
  }

  private key(...parts: string[]): string {
    return this.redis.keys.key(TAG, ...parts);
  }
}

function parseRenewal(reply: unknown): Renewal {
  const [hasJoined, position, members, changes] = reply as [number, string, string[], string[]];
  return { hasJoined: hasJoined === 1, position, members: parseMembers(members), changes };
}

function parseAppended(reply: unknown): AppendedChange {
  const [sequence, members] = reply as [string, string[]];
  return { sequence, members: parseMembers(members) };
}

function parseUnfinished(reply: unknown): UnfinishedChanges {
  const [count, abandoned] = reply as [number, string[]];
  return { count, abandoned };
}

function parseMembers(list: readonly string[]): Members {
  const members = new Map<string, MemberNote>();
  for (let index = 0; index + 1 < list.length; index += 2) {
    const text = list[index + 1]!;
    const [position, leaseMs] = text.split(' ').map(Number);
    members.set(list[index]!, { text, position: position ?? 0, leaseMs: leaseMs ?? 0 });
  }
  return members;
}
