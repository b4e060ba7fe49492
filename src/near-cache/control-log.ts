import { Inject, Injectable } from '@nestjs/common';

import { Deadline } from '../common/deadline/index.js';
import { sha256 } from '../common/digest/index.js';
import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import { NEAR_CACHE_DEFAULTS, type NearCacheOptions } from './near-cache.options.js';

/** All keys of the log lie in one slot, so that one script can do each step. */
const TAG = ['near-cache', 'control'] as const;
/** An instance that has been away longer joins anew. Far longer than a lease, so that this costs nobody his memory. */
const LOG_KEPT_MS = 60_000;
/** No write lands later than this after it was sent; whoever sent it has given up long before. */
const LATEST_WRITE_MS = 30_000;
/** More than these are not worth sending: the instance joins anew, with empty memory. */
const MAX_CHANGES = 10_000;

const load = LuaScript.loaderFor(import.meta.url);
const renewLease = load('renew-lease', parseRenewal);
const appendChange = load('append-change', parseAppended);
const beginChange = load('begin-change', String);
const findChanges = load('find-changes', parseUnfinished);
const finishChanges = load('finish-changes', Number);
const listMembers = load('list-members', (reply) => parseMembers(reply as string[]));
const removeMembers = load('remove-members', Number);

/** What a member has noted about itself. It changes with every renewal. */
export interface MemberNote {
  /** As it is stored, to tell whether it has changed. */
  readonly text: string;
  /** Every change up to here is applied. A number of the sequence. */
  readonly position: number;
  readonly leaseMs: number;
}

export type Members = ReadonlyMap<string, MemberNote>;

export interface RenewalRequest {
  readonly instance: string;
  readonly leaseMs: number;
  /** Counted up by the instance. */
  readonly number: number;
  /** Everything up to here is applied; undefined to join with empty memory. */
  readonly position: string | undefined;
}

export interface Renewal {
  /** The instance is a member from here on, and what it remembers from before counts for nothing. */
  readonly hasJoined: boolean;
  readonly position: string;
  readonly members: Members;
  /** Subjects that changed since the old position. */
  readonly changes: readonly string[];
}

export interface UnfinishedChanges {
  readonly count: number;
  /** Those whose writes, if they had any, have landed for certain. */
  readonly abandoned: readonly string[];
}

export interface AppendedChange {
  readonly sequence: string;
  readonly members: Members;
}

/** The part of the protocol that is in Redis: who trusts its memory, and what has changed. */
@Injectable()
export class ControlLog {
  private readonly unfinishedKeptMs: number;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(NEAR_CACHE_OPTIONS) options: NearCacheOptions,
  ) {
    // Past the life of an entry, no memory is older than the change.
    this.unfinishedKeptMs = 2 * (options.maxAgeMs ?? NEAR_CACHE_DEFAULTS.maxAgeMs);
  }

  /** The channel on which changes are told. */
  get changesChannel(): string {
    return this.key('changed');
  }

  /** The channel on which an instance is told that others have applied its changes. */
  appliedChannel(instance: string): string {
    return this.key('applied', instance);
  }

  /** @throws NotConfirmedError */
  async renew(request: RenewalRequest): Promise<Renewal> {
    const { instance, leaseMs, number, position = '' } = request;
    return this.redis.runDurably(
      renewLease,
      [this.key('members'), this.key('sequence'), this.key('log')],
      [instance, leaseMs, number, position, LOG_KEPT_MS, MAX_CHANGES],
      Deadline.none,
    );
  }

  /**
   * Notes that a subject is about to change.
   *
   * @returns the change's number in the sequence
   * @throws NotConfirmedError
   */
  async begin(subject: string, deadline: Deadline): Promise<string> {
    const keys = [this.key('sequence'), this.unfinishedKey(subject)];
    return this.redis.runDurably(beginChange, keys, [this.unfinishedKeptMs], deadline);
  }

  /** Tells every instance that a subject has changed. @throws NotConfirmedError */
  async announce(subject: string, message: string, deadline: Deadline): Promise<AppendedChange> {
    return this.redis.runDurably(
      appendChange,
      [this.key('members'), this.key('sequence'), this.key('log'), this.changesChannel],
      [subject, LOG_KEPT_MS, message],
      deadline,
    );
  }

  /** Says it again to those who did not hear it. */
  repeat(message: string): void {
    this.redis.publish(this.changesChannel, message);
  }

  /** @throws RedisUnavailableError */
  async members(deadline: Deadline): Promise<Members> {
    return this.redis.run(listMembers, [this.key('members')], [], deadline);
  }

  /** The changes of a subject that were begun and not finished, by whomever. @throws NotConfirmedError */
  async unfinished(subject: string, deadline: Deadline): Promise<UnfinishedChanges> {
    const keys = [this.unfinishedKey(subject), this.key('fence')];
    return this.redis.runDurably(findChanges, keys, [LATEST_WRITE_MS], deadline);
  }

  async finish(subject: string, sequences: readonly string[]): Promise<void> {
    if (sequences.length > 0) {
      await this.redis.run(finishChanges, [this.unfinishedKey(subject)], sequences, Deadline.none);
    }
  }

  /** Removes members whose notes are still as they were seen. */
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
