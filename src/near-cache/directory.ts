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
 * A registration lives this many times as long as its entry may stay in memory. Redis removes registrations by its own
 * clock, which may be wrong. With the default age, the clock of a node may jump by almost an hour without harm.
 */
const REGISTRATIONS_PER_AGE = 60;
/**
 * A registration lives at least this long, however short the age of entries is: `readAsHolder` keeps no entry. Notes of
 * finished changes must live for a minute.
 */
const MIN_REGISTRATION_MS = 3_600_000;
const LASTING_REGISTRATIONS_PER_AGE = 2;
/** The directory of a subject `<kind>.<id>` or `<kind>.<id>.<part>` is in the slot of the keys with the tag `[kind, id]`. */
const SUBJECT_WITH_SLOT =
  /^([A-Za-z0-9_-]{1,128})\.([A-Za-z0-9_-]{1,128})(?:\.([A-Za-z0-9_-]{1,128}))?$/;

const load = LuaScript.loaderFor(import.meta.url);
const unparsed = (reply: unknown): unknown => reply;
const holdScript = load('hold', unparsed);
const changeScript = load('change', unparsed);
const beginChange = load('begin-change', String);
const findChanges = load('find-changes', parseUnfinished);
const finishChanges = load('finish-changes', Number);
const findHolders = load('find-holders', (reply) => parseHolders(reply as (string | number)[]));

/** Stands for the number of the change in the arguments of a write. The numbers of one subject only grow. */
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

/** The holders of unfinished changes. */
export interface PendingHolders {
  readonly holders: readonly Holder[];
  /** Ids of the changes that are finished once all these holders have applied them. */
  readonly changes: readonly string[];
}

export interface Registered<Value> {
  /** False when the read script decided that the value must not be held. */
  readonly isRegistered: boolean;
  /** Whether the registration has one copy, so that a second loss in the shard of the subject can lose it. */
  readonly hasOneCopy: boolean;
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
    const maxAgeMs = options.maxAgeMs ?? NEAR_CACHE_DEFAULTS.maxAgeMs;
    this.ttlMs = Math.max(MIN_REGISTRATION_MS, REGISTRATIONS_PER_AGE * maxAgeMs);
  }

  /**
   * Registers a holder and reads the subject, in one step.
   *
   * @param read its script writes at least a fence key. If the reply must not be held, it returns `false` as a second value,
   * and may write nothing
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
    let hasOneCopy = false;
    const held = await this.redis.readConfirmed(
      whole,
      [this.key(subject), ...keys],
      [holder.instance, holder.leaseMs, this.registrationMs(isLasting), ...args],
      deadline,
      () => (hasOneCopy = true),
    );
    return { ...held, hasOneCopy };
  }

  /**
   * Registers a holder of a subject whose data are elsewhere.
   *
   * @returns whether the registration has one copy
   * @throws RedisUnavailableError
   */
  async register(
    subject: string,
    { instance, leaseMs }: Holder,
    isLasting: boolean,
    deadline: Deadline,
  ): Promise<boolean> {
    const args = [instance, leaseMs, this.registrationMs(isLasting)];
    let hasOneCopy = false;
    const onSingleCopy = (): boolean => (hasOneCopy = true);
    await this.redis.readConfirmed(holdScript, [this.key(subject)], args, deadline, onSingleCopy);
    return hasOneCopy;
  }

  /**
   * Writes a change of a subject, and moves its holders into the note of the change, in one step.
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
   * Records that a change begins. The data of its subject are elsewhere.
   *
   * @returns the number of the change
   * @throws NotConfirmedError
   */
  async begin(subject: string, id: string, deadline: Deadline): Promise<string> {
    return this.redis.runDurably(beginChange, [this.key(subject)], [id, this.ttlMs], deadline);
  }

  /** Moves the holders of a subject into the note of a change that was written elsewhere. @throws NotConfirmedError */
  async take(subject: string, id: string, deadline: Deadline): Promise<PendingHolders> {
    return parseChanged(
      await this.redis.runDurably(changeScript, [this.key(subject)], [id, this.ttlMs, 0], deadline),
      unparsed,
    );
  }

  /** Finds the unfinished changes of a subject. Any instance may have begun them. @throws NotConfirmedError */
  async unfinished(
    subject: string,
    deadline: Deadline,
  ): Promise<PendingHolders & { readonly count: number }> {
    const keys = [this.key(subject), this.redis.keys.key(placeOf(subject).tag, 'fence')];
    return this.redis.runDurably(findChanges, keys, [], deadline);
  }

  /** Finds the registered holders of a subject, for operators: it may be an old answer. @throws RedisUnavailableError */
  async holdersOf(subject: string, deadline: Deadline): Promise<readonly Holder[]> {
    return this.redis.run(findHolders, [this.key(subject)], [], deadline);
  }

  /** Records that these holders have applied these changes. Best effort: if it fails, they are announced again. */
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

  /** The directory of a subject, in its slot. */
  key(subject: string): string {
    const { tag, parts } = placeOf(subject);
    return this.redis.keys.key(tag, 'holders', ...parts);
  }
}

interface Place {
  readonly tag: readonly [kind: string, id: string];
  readonly parts: readonly string[];
}

/** A subject without a slot has its directory in a slot of its own. */
function placeOf(subject: string): Place {
  const [, kind, id, part] = SUBJECT_WITH_SLOT.exec(subject) ?? [];
  return kind !== undefined && id !== undefined
    ? { tag: [kind, id], parts: part === undefined ? [] : [part] }
    : { tag: ['subject', sha256(subject)], parts: [] };
}

function parseHeld<Value>(
  reply: unknown,
  parse: (reply: unknown) => Value,
): Omit<Registered<Value>, 'hasOneCopy'> {
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
