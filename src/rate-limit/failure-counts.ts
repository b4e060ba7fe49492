import type { Deadline } from '../common/deadline/index.js';
import { sha256 } from '../common/digest/index.js';
import { siteOf } from '../common/network/index.js';
import { LuaScript, type RedisCluster } from '../redis-cluster/index.js';
import type { KnownBlocks } from './known-blocks.js';

/** Longer than any attempt with all its waiting: one that was not settled by then belongs to a process that is gone. */
const RESERVATION_TTL_MS = 30_000;
/** Devices of one account with failures of their own, and as many sessions. A further one counts as a stranger. */
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

/** So many failures of a network within a sliding window, whatever lies between them. */
export interface FailureLimit {
  /** What is counted, such as `login-address`. Part of the key. */
  readonly name: string;
  readonly failures: number;
  /** Of all networks of a site together, see `siteOf`: one site must not have the failures of 65,536 networks. */
  readonly siteFailures: number;
  readonly windowMs: number;
}

/**
 * Failures without a success between them: a growing delay and a ceiling (NIST SP 800-63B-4 section 3.2.2). Strangers are
 * counted together; each device and session that proves itself is counted for itself.
 */
export interface GuessLimit {
  /** Part of the key. */
  readonly name: string;
  /** Consecutive failures that begin the first block. */
  readonly failures: number;
  /** The first block. Each further failure doubles it. */
  readonly blockMs: number;
  readonly maxBlockMs: number;
  /** Consecutive failures from which on each one blocks for `ceilingBlockMs`. */
  readonly ceiling: number;
  readonly ceilingBlockMs: number;
  /**
   * How long one failure is remembered; n of them for n times as long, up to `ceiling`. So over a long time nobody has more
   * than one guess in this time, however the guesses and pauses are arranged.
   */
  readonly memoryMs: number;
}

/** What a caller has shown that only the owner of an account has. */
export interface Proof {
  /** A device has logged in before; a session lives. */
  readonly kind: 'device' | 'session';
  /** Letters, digits, `_` and `-`. */
  readonly id: string;
  /** Counts up whenever the proofs of an account end. The failures of older proofs do not count any more. */
  readonly generation: number;
}

/** What an attempt means for the count: a failure or nothing. */
export type AttemptResult = 'failed' | 'void';
/** Or that all failures of the caller before it are forgiven. */
export type GuessResult = AttemptResult | 'reset';

export interface Reservation {
  /** 0 when the attempt may be made, -1 when others are in the way, else how long it has to wait. */
  readonly waitMs: number;
  /** Whether it counts for a device or a session, and not for strangers. */
  readonly isKnown: boolean;
}

/** What failures are counted in. */
export interface FailureCount<Result = GuessResult> {
  /** Callers with the same name wait for each other. */
  readonly name: string;
  begin(id: string, deadline: Deadline): Promise<Reservation>;
  end(id: string, result: Result, deadline: Deadline): Promise<unknown>;
}

export interface WindowCount extends FailureCount<AttemptResult> {
  /** Counts a failure, if there is room for one. */
  add(id: string, deadline: Deadline): Promise<Reservation>;
}

/**
 * Failures of a network and of its site. Both are in the site's slot, so one script decides.
 *
 * @param blocks when each network and site that is at its limit has room again
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
  const names = [[...tag, ...ofNetwork].join('.'), tag.join('.')] as const;
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
    end: async (id, result, deadline) =>
      redis.run(scripts.endAttempt, keys, [id, result, limit.windowMs], deadline),
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
    // Known callers do not stand in the line of strangers.
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
