import type { Deadline } from '../common/deadline/index.js';
import { sha256 } from '../common/digest/index.js';
import { siteOf } from '../common/network/index.js';
import { LuaScript, type RedisCluster } from '../redis-cluster/index.js';
import type { KnownBlocks } from './known-blocks.js';

/** Longer than any attempt, including its waiting. An attempt that was not settled by then belongs to a crashed process. */
const RESERVATION_TTL_MS = 30_000;
/** Maximum number of devices of an account that are counted separately, and of sessions. Further ones count as strangers. */
const MAX_KNOWN_LANES = 10;

const load = LuaScript.loaderFor(import.meta.url);

const scripts = {
  beginAttempt: load('begin-attempt', (reply) => reply as number[]),
  endAttempt: load('end-attempt', Number),
  beginGuess: load('begin-guess', (reply) => {
    const [waitMs, isKnown] = reply as [number, number];
    return { waitMs, isKnown: isKnown === 1 };
  }),
  endGuess: load('end-guess', Number),
};

/** Limits the failures of a network within a sliding window. A success does not reset them. */
export interface FailureLimit {
  /** Names the count, such as `login-address`. Part of the key. */
  readonly name: string;
  readonly failures: number;
  /** Limit for all networks of a site together (see `siteOf`), because a site may have 65,536 networks. */
  readonly siteFailures: number;
  readonly windowMs: number;
}

/** The usual limit on refused credentials of an address. Many people may share one. */
export function refusalsPerAddress(name: `${string}-address`): FailureLimit {
  return { name, failures: 100, siteFailures: 1000, windowMs: 15 * 60_000 };
}

/**
 * Limits consecutive failures with a growing delay and a ceiling (NIST SP 800-63B-4 section 3.2.2). Strangers are counted
 * together. Each proven device and session is counted separately.
 */
export interface GuessLimit {
  /** Part of the key. */
  readonly name: string;
  /** Consecutive failures that begin the first block. */
  readonly failures: number;
  /** Length of the first block. Each further failure doubles it. */
  readonly blockMs: number;
  readonly maxBlockMs: number;
  /** Number of consecutive failures from which each failure blocks for `ceilingBlockMs`. */
  readonly ceiling: number;
  readonly ceilingBlockMs: number;
  /**
   * How long one failure is remembered. n failures are remembered n times as long, with n at most `ceiling`. So the long-term
   * rate is at most one guess in this time, for any pattern of guesses and pauses.
   */
  readonly memoryMs: number;
}

/** The caller has proven something that only the owner of the account has. */
export interface Proof {
  /** A device has logged in before. A session is live. */
  readonly kind: 'device' | 'session';
  /** Letters, digits, `_` and `-`. */
  readonly id: string;
  /** Increases whenever the proofs of an account become invalid. Failures of older generations do not count. */
  readonly generation: number;
}

/** `failed` counts as a failure; `void` does not count. */
export type AttemptResult = 'failed' | 'void';
/** `reset` also clears the earlier failures of the caller. */
export type GuessResult = AttemptResult | 'reset';

export interface Reservation {
  /** 0: the attempt may be made. -1: it must wait for the results of others. Else: milliseconds until it may be made. */
  readonly waitMs: number;
  /** Whether the attempt counts for a device or a session, and not for strangers. */
  readonly isKnown: boolean;
}

/** A counter of failures. */
export interface FailureCount {
  /** Callers with the same name wait for each other. */
  readonly name: string;
  begin(id: string, deadline: Deadline): Promise<Reservation>;
  end(id: string, result: GuessResult, deadline: Deadline): Promise<unknown>;
}

/** Nothing clears it, so `reset` is the same as `void`. */
export interface WindowCount extends FailureCount {
  /** Counts a failure, if the limit allows one more. */
  add(id: string, deadline: Deadline): Promise<Reservation>;
}

/** Names the counts of a network and of its site in `KnownBlocks`. */
export function windowNames(
  { name }: FailureLimit,
  network: string,
): readonly [ofNetwork: string, ofSite: string] {
  const site = siteOf(network);
  const ofSite = [name, sha256(site)];
  const ofNetwork = site === network ? ofSite : [...ofSite, sha256(network)];
  return [ofNetwork.join('.'), ofSite.join('.')];
}

/**
 * Counts the failures of a network and of its site. Both counts are in the slot of the site, so that one script decides.
 *
 * @param blocks remembers the networks and sites that are at their limit
 */
export function windowCount(
  redis: RedisCluster,
  limit: FailureLimit,
  network: string,
  blocks: KnownBlocks,
): WindowCount {
  const site = siteOf(network);
  const tag = [limit.name, sha256(site)] as const;
  const ofNetwork = site === network ? [] : [sha256(network)];
  const keys = [ofNetwork, []].flatMap((parts) =>
    ['failed', 'under-way'].map((part) => redis.keys.key(tag, part, ...parts)),
  );
  const names = windowNames(limit, network);
  const begin = async (
    id: string,
    deadline: Deadline,
    mode: 'add' | 'reserve',
  ): Promise<Reservation> => {
    const knownMs = blocks.waitMs(names);
    if (knownMs > 0) {
      return { waitMs: knownMs, isKnown: false };
    }
    const askedAt = blocks.now();
    const { failures, siteFailures, windowMs } = limit;
    const args = [id, mode, windowMs, RESERVATION_TTL_MS, failures, siteFailures];
    const waits = await redis.run(scripts.beginAttempt, keys, args, deadline);
    waits.forEach((waitMs, index) => blocks.add(names[index]!, askedAt + waitMs));
    const longestMs = Math.max(...waits);
    return { waitMs: longestMs > 0 ? longestMs : Math.min(...waits), isKnown: false };
  };
  return {
    name: names[0],
    begin: async (id, deadline) => begin(id, deadline, 'reserve'),
    add: async (id, deadline) => begin(id, deadline, 'add'),
    end: async (id, result, deadline) => {
      const args = [id, result === 'failed' ? 'failed' : 'void', limit.windowMs];
      return redis.run(scripts.endAttempt, keys, args, deadline);
    },
  };
}

export function guessCount(
  redis: RedisCluster,
  limit: GuessLimit,
  subject: string,
  proof: Proof | undefined,
): FailureCount {
  const tag = [limit.name, sha256(subject)] as const;
  const keys = [redis.keys.key(tag, 'guesses')];
  const lane = proof ? `${proof.kind}.${proof.generation}.${proof.id}` : '';
  const { failures, blockMs, maxBlockMs, ceiling, ceilingBlockMs, memoryMs } = limit;
  return {
    // Known callers do not wait in the queue of strangers.
    name: [...tag, lane].join('.'),
    begin: async (id, deadline) => {
      const args = [id, lane, failures, RESERVATION_TTL_MS, MAX_KNOWN_LANES];
      return redis.run(scripts.beginGuess, keys, args, deadline);
    },
    end: async (id, result, deadline) => {
      const blocks = [failures, blockMs, maxBlockMs, ceiling, ceilingBlockMs, memoryMs];
      return redis.run(scripts.endGuess, keys, [id, result, ...blocks], deadline);
    },
  };
}
