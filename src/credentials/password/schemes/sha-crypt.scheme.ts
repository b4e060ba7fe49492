import { Worker } from 'node:worker_threads';

import { hashingPriority } from '../thread-pool-priority.js';
import { isEqual, numberIn, type HashScheme } from './hash-scheme.js';

const FORM = /^\$([56])\$(?:rounds=(\d+)\$)?([./0-9A-Za-z]{0,16})\$([./0-9A-Za-z]+)$/;
const DIGITS_OF_DIGEST: Readonly<Record<string, number>> = { '5': 43, '6': 86 };
const DEFAULT_ROUNDS = 5000;
/** The specification uses this number for a smaller one. */
const MIN_ROUNDS = 1000;
/** About a second. passlib uses 656,000. */
const MAX_ROUNDS = 700_000;
/**
 * Rounds times bytes of password and salt: each round hashes them. It allows 136 bytes of password with passlib's rounds, and
 * passwords of any length with up to 90,000 rounds.
 */
const MAX_WORK = 100_000_000;

const WORKER = new URL('./sha-crypt.worker.js', import.meta.url);

/** What the worker needs to compute a hash. */
export interface ShaCryptInput {
  readonly algorithm: 'sha256' | 'sha512';
  readonly password: string;
  readonly salt: string;
  readonly rounds: number;
  /** The nice value of the thread. undefined: as the process. */
  readonly priority: number | undefined;
}

/** SHA-crypt of Unix (`$5$` and `$6$`, https://www.akkadia.org/drepper/SHA-crypt.txt). */
export const shaCryptScheme: HashScheme = {
  read: (text) => {
    if (!/^\$[56]\$/.test(text)) {
      return undefined;
    }
    const [, id = '', rounds, salt = '', digits = ''] = FORM.exec(text) ?? [];
    const given = rounds === undefined ? DEFAULT_ROUNDS : numberIn(rounds);
    if (given === undefined || digits.length !== DIGITS_OF_DIGEST[id]) {
      return 'malformed-hash';
    }
    if (given > MAX_ROUNDS) {
      return 'too-expensive';
    }
    const input = {
      algorithm: id === '5' ? 'sha256' : 'sha512',
      salt,
      rounds: Math.max(given, MIN_ROUNDS),
      priority: hashingPriority(),
    } as const;
    return {
      verify: async (password) =>
        input.rounds * (Buffer.byteLength(password) + salt.length) <= MAX_WORK &&
        isEqual(Buffer.from(await compute({ ...input, password })), Buffer.from(digits)),
    };
  },
};

/** A thread for each hash: its start takes some ten milliseconds, and these hashes disappear at the first login. */
async function compute(input: ShaCryptInput): Promise<string> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData: input, env: {}, execArgv: [] });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the thread ended with code ${code}`)));
  });
}
