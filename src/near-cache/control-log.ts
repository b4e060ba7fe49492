import { Inject, Injectable } from '@nestjs/common';

import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import { NEAR_CACHE_DEFAULTS, type NearCacheOptions } from './near-cache.options.js';

/** All keys of the log lie in one slot, so that one script can do each step. */
const TAG = ['near-cache', 'control'] as const;
/** An instance that has been away longer joins anew. Far longer than a lease, so that this costs nobody his memory. */
const LOG_KEPT_MS = 60_000;
/** More than these are not worth sending: the instance joins anew, with empty memory. */
const MOST_CHANGES = 10_000;

const renewLease = load('renew-lease', parseRenewal);
const appendChange = load('append-change', parseAppended);
const findChange = load('find-change', (reply) => String(reply) || undefined);
const finishChange = load('finish-change', Number);
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

export interface AppendedChange {
  readonly sequence: string;
  readonly members: Members;
}

/** The part of the protocol that is in Redis: who trusts its memory, and what has changed. */
@Injectable()
export class ControlLog {
  private readonly underWayKeptMs: number;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(NEAR_CACHE_OPTIONS) options: NearCacheOptions,
  ) {
    // Past the life of an entry, no memory is older than the change.
    this.underWayKeptMs = 2 * (options.maxAgeMs ?? NEAR_CACHE_DEFAULTS.maxAgeMs);
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
      [instance, leaseMs, number, position, LOG_KEPT_MS, MOST_CHANGES],
    );
  }

  /** Notes that a subject is about to change. @returns what finishes this change @throws NotConfirmedError */
  async begin(subject: string): Promise<string> {
    const { sequence } = await this.append('under-way', subject, this.underWayKeptMs, '');
    return sequence;
  }

  /** Tells every instance that a subject has changed. @throws NotConfirmedError */
  async announce(subject: string, message: string): Promise<AppendedChange> {
    return this.append('log', subject, LOG_KEPT_MS, message);
  }

  /** @returns what finishes the change of the subject that is under way, if one is @throws NotConfirmedError */
  async underWay(subject: string): Promise<string | undefined> {
    return this.redis.runDurably(findChange, [this.key('under-way'), this.key('fence')], [subject]);
  }

  async finish(subject: string, sequence: string): Promise<void> {
    await this.redis.run(finishChange, [this.key('under-way')], [subject, sequence]);
  }

  /** Removes members whose notes are still as they were seen. */
  async remove(members: Members): Promise<void> {
    const pairs = [...members].flatMap(([instance, { text }]) => [instance, text]);
    await this.redis.runDurably(removeMembers, [this.key('members')], pairs);
  }

  private async append(
    list: 'log' | 'under-way',
    subject: string,
    keptMs: number,
    message: string,
  ): Promise<AppendedChange> {
    return this.redis.runDurably(
      appendChange,
      [this.key('members'), this.key('sequence'), this.key(list), this.changesChannel],
      [subject, keptMs, message],
    );
  }

  private key(...parts: string[]): string {
    return this.redis.keys.key(TAG, ...parts);
  }
}

function load<Reply>(name: string, parse: (reply: unknown) => Reply): LuaScript<Reply> {
  return LuaScript.fromFile(new URL(`./scripts/${name}.lua`, import.meta.url), parse);
}

function parseRenewal(reply: unknown): Renewal {
  const [hasJoined, position, members, changes] = reply as [number, string, string[], string[]];
  return { hasJoined: hasJoined === 1, position, members: parseMembers(members), changes };
}

function parseAppended(reply: unknown): AppendedChange {
  const [sequence, members] = reply as [string, string[]];
  return { sequence, members: parseMembers(members) };
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
