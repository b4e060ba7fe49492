import type { INestApplication } from '@nestjs/common';

import { RedisCluster, type LuaScript } from '../../src/redis-cluster/index.js';
import { HashingQueue } from '../../src/users/index.js';
import { OWN_WORK } from './redis-traffic.js';
import { within } from './within.js';

/** Longer than the hash of a password takes on a busy machine. A complete wave is not delayed. */
const WAVE_TIMEOUT_MS = 15_000;

/** The hash or the check of a password, among the steps. It is no round trip. */
export const HASH = 'hash';

/** Scripts that no request awaits. */
const NOT_AWAITED: ReadonlySet<string> = new Set([
  ...OWN_WORK,
  'finish-changes',
  'record-events',
  'index-events',
  'end-user-change',
  'find-profile-confirmed',
  'list-entry',
  'correct-entry',
]);

interface HeldStep {
  readonly name: string;
  readonly release: () => void;
}

type RunScript = (script: LuaScript<unknown>, ...rest: unknown[]) => Promise<unknown>;

/**
 * Runs operations of an application in waves. It holds the replies to all scripts, until every script that needs none of these
 * replies has been sent. The number of waves is therefore the number of round trips that an operation makes one after the
 * other, on any machine. A password hash is held in the same way, so that its place among the scripts is known.
 */
export class Waves {
  private isHolding = false;
  private held: HeldStep[] = [];
  private onArrival: () => void = () => undefined;

  constructor(app: INestApplication) {
    const redis = app.get(RedisCluster, { strict: false });
    const methods = redis as unknown as Record<string, RunScript>;
    for (const [method, ending] of [
      ['run', ''],
      ['runDurably', ' wait'],
      ['readConfirmed', ' wait'],
    ] as const) {
      const run = methods[method]!.bind(redis);
      methods[method] = async (script, ...rest) => {
        const name = script.name.replace(/\.lua$/, '');
        const reply = run(script, ...rest);
        return NOT_AWAITED.has(name) ? reply : this.hold(`${name}${ending}`, reply);
      };
    }
    const hashing = app.get(HashingQueue, { strict: false });
    const hash = hashing.hash.bind(hashing);
    const verify = hashing.verify.bind(hashing);
    hashing.hash = async (...args) => this.hold(HASH, hash(...args));
    hashing.verify = async (...args) => this.hold(HASH, verify(...args));
  }

  /**
   * Runs an operation, and releases each wave when all its steps have been taken.
   *
   * @param expected the steps of each wave, in any order; a confirmed script ends in ` wait`
   * @throws when the operation takes other steps, or a step needs a reply of its own wave
   */
  async run(
    expected: readonly (readonly string[])[],
    operation: () => Promise<unknown>,
  ): Promise<void> {
    this.isHolding = true;
    const done = operation();
    done.catch(() => undefined);
    try {
      for (const wave of expected) {
        await this.untilHeld([...wave].sort());
        this.releaseAll();
      }
      await within('the answer after the last wave', WAVE_TIMEOUT_MS, done);
      await this.untilHeld([]);
    } finally {
      this.isHolding = false;
      this.releaseAll();
    }
  }

  private async untilHeld(steps: readonly string[]): Promise<void> {
    const isComplete = new Promise<void>((resolve) => {
      this.onArrival = () => this.held.length >= steps.length && resolve();
      this.onArrival();
    });
    const names = (): string =>
      this.held
        .map(({ name }) => name)
        .sort()
        .join(', ');
    const expected = `expected in one wave: ${steps.join(', ')}`;
    await within(expected, WAVE_TIMEOUT_MS, isComplete).catch((error: Error) => {
      throw new Error(`${error.message}; there were: ${names()}`);
    });
    if (names() !== steps.join(', ')) {
      throw new Error(`${expected}; there were: ${names()}`);
    }
  }

  private async hold<Reply>(name: string, reply: Promise<Reply>): Promise<Reply> {
    if (this.isHolding) {
      const released = new Promise<void>((release) => this.held.push({ name, release }));
      reply.catch(() => undefined);
      this.onArrival();
      await released;
    }
    return reply;
  }

  private releaseAll(): void {
    this.held.splice(0).forEach(({ release }) => release());
  }
}
