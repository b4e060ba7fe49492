import { Inject, Injectable } from '@nestjs/common';

import { Deadline } from '../common/deadline/index.js';
import { sha256 } from '../common/digest/index.js';
import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import { NEAR_CACHE_OPTIONS } from './near-cache.module-definition.js';
import {
  LASTING_MAX_AGE_MS,
  NEAR_CACHE_DEFAULTS,
  type NearCacheOptions,
} from './near-cache.options.js';

/**
 * How much longer than an entry its registration lives. Redis removes registrations by its own clock, so the factor covers a
 * clock that is wrong: the clock of a node may jump by almost an hour without harm.
 */
const REGISTRATIONS_PER_AGE = 60;
const LASTING_REGISTRATIONS_PER_AGE = 2;
/** A subject of this form is in the slot of the keys with the same tag. */
const SUBJECT_WITH_SLOT = /^([A-Za-z0-9_-]{1,128})\.([A-Za-z0-9_-]{1,128})$/;

const load = LuaScript.loaderFor(import.meta.url);
const unparsed = (reply: unknown): unknown => reply;
const holdScript = load('hold', unparsed);
const changeScript = load('change', unparsed);
const beginChange = load('begin-change', String);
const findChanges = load('find-changes', parseUnfinished);
const finishChanges = load('finish-changes', Number);

/** Stands for the number of the change in the arguments of a write. Numbers of the changes of one subject only grow. */
export const CHANGE_NUMBER = Symbol('the number of the change');

/** A call of a script in the slot of the subject. */
export interface SlotCall<Reply, Argument = string | number> {
  readonly script: LuaScript<Reply>;
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
}

/** A write of the subject. Its script must be idempotent. */
export type SlotWrite<Reply> = SlotCall<Reply, string | number | typeof CHANGE_NUMBER>;

/** An instance that may hold a subject in memory. */
export interface Holder {
  readonly instance: string;
  readonly leaseMs: number;
}

/** Holders that must apply changes before these are finished. */
export interface PendingHolders {
  readonly holders: readonly Holder[];
  /** Ids of the changes that are finished once all these holders have applied them. */
  readonly changes: readonly string[];
}

export interface Registered<Value> {
  /** False when the read script decided that the value must not be held. */
  readonly isRegistered: boolean;
  readonly value: Value;
}

/** The directory of holders: for each subject, which instances may hold it, and its unfinished changes. */
@Injectable()
export class Directory {
  private readonly ttlMs: number;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(NEAR_CACHE_OPTIONS) options: NearCacheOptions,
  ) {
    this.ttlMs = REGISTRATIONS_PER_AGE * (options.maxAgeMs ?? NEAR_CACHE_DEFAULTS.maxAgeMs);
  }

  /**
   * Registers a holder and reads the subject, in one step.
   *
   * @param read its script returns `false` as a second value if the reply must not be held. It writes nothing or a fence
   * @throws RedisUnavailableError
   */
  async hold<Value>(
    subject: string,
    holder: Holder,
    { script, keys, args }: SlotCall<Value>,
    isLasting: boolean,
    deadline: Deadline,
  ): Promise<Registered<Value>> {
    const whole = script.within(holdScript, (reply) => parseHeld(reply, script.parse));
    return this.redis.readConfirmed(
      whole,
      [this.key(subject), ...keys],
      [holder.instance, holder.leaseMs, this.registrationMs(isLasting), ...args],
      deadline,
    );
  }

  /** Registers a holder of a subject whose data are elsewhere. @throws RedisUnavailableError */
  async register(
    subject: string,
    { instance, leaseMs }: Holder,
    isLasting: boolean,
    deadline: Deadline,
  ): Promise<void> {
    const args = [instance, leaseMs, this.registrationMs(isLasting)];
    await this.redis.readConfirmed(holdScript, [this.key(subject)], args, deadline);
  }

  /**
   * Writes a change of a subject and takes its holders, in one step.
   *
   * @param id unique for each change
   * @throws NotConfirmedError
   */
  async change<Reply>(
    subject: string,
    id: string,
    { script, keys, args }: SlotWrite<Reply>,
    deadline: Deadline,
  ): Promise<PendingHolders & { readonly reply: Reply }> {
    const position = args.indexOf(CHANGE_NUMBER) + 1;
    return this.redis.runDurably(
      script.within(changeScript, (reply) => parseChanged(reply, script.parse)),
      [this.key(subject), ...keys],
      [id, this.ttlMs, position, ...args.map((arg) => (arg === CHANGE_NUMBER ? '' : arg))],
      deadline,
    );
  }

  /**
   * Records that a change of a subject begins whose data are elsewhere.
   *
   * @returns the number of the change
   * @throws NotConfirmedError
   */
  async begin(subject: string, id: string, deadline: Deadline): Promise<string> {
    return this.redis.runDurably(beginChange, [this.key(subject)], [id, this.ttlMs], deadline);
  }

  /** Takes the holders of a subject, after a change was written elsewhere. @throws NotConfirmedError */
  async take(subject: string, id: string, deadline: Deadline): Promise<PendingHolders> {
    return parseChanged(
      await this.redis.runDurably(changeScript, [this.key(subject)], [id, this.ttlMs, 0], deadline),
      unparsed,
    );
  }

  /** The unfinished changes of a subject, from all instances. @throws NotConfirmedError */
  async unfinished(
    subject: string,
    deadline: Deadline,
  ): Promise<PendingHolders & { readonly count: number }> {
    const keys = [this.key(subject), this.redis.keys.key(tagOf(subject), 'fence')];
    return this.redis.runDurably(findChanges, keys, [], deadline);
  }

  /** Records that these holders have applied these changes. Best effort: otherwise a later reader announces them again. */
  finish(subject: string, { holders, changes }: PendingHolders): void {
    if (changes.length === 0) {
      return;
    }
    const args = [changes.length, ...changes, ...holders.map(({ instance }) => instance)];
    this.redis.run(finishChanges, [this.key(subject)], args, Deadline.none).catch(() => undefined);
  }

  private registrationMs(isLasting: boolean): number {
    return isLasting ? LASTING_REGISTRATIONS_PER_AGE * LASTING_MAX_AGE_MS : this.ttlMs;
  }

  private key(subject: string): string {
    return this.redis.keys.key(tagOf(subject), 'holders');
  }
}

/** A subject `<kind>.<id>` is in the slot of the keys with that tag. Any other text has a slot of its own. */
function tagOf(subject: string): readonly [string, string] {
  const [, kind, id] = SUBJECT_WITH_SLOT.exec(subject) ?? [];
  return kind !== undefined && id !== undefined ? [kind, id] : ['subject', sha256(subject)];
}

function parseHeld<Value>(reply: unknown, parse: (reply: unknown) => Value): Registered<Value> {
  const [isRegistered, value] = reply as [number, unknown];
  return { isRegistered: isRegistered === 1, value: parse(value) };
}

function parseChanged<Reply>(
  reply: unknown,
  parse: (reply: unknown) => Reply,
): PendingHolders & { readonly reply: Reply } {
  const [holders, changes, inner] = reply as [(string | number)[], string[], unknown];
  return { holders: parseHolders(holders), changes, reply: parse(inner) };
}

function parseUnfinished(reply: unknown): PendingHolders & { readonly count: number } {
  const [count, holders, changes] = reply as [number, (string | number)[], string[]];
  return { count, holders: parseHolders(holders), changes };
}

function parseHolders(list: readonly (string | number)[]): Holder[] {
  const holders: Holder[] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    holders.push({ instance: String(list[index]), leaseMs: Number(list[index + 1]) });
  }
  return holders;
}
