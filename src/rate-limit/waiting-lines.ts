import { setTimeout as delay } from 'node:timers/promises';

import type { Deadline } from '../common/deadline/index.js';

const POLL_MS = 50;

interface Line {
  length: number;
  /** Settles when everybody in the line has left it. */
  tail: Promise<void>;
}

/**
 * Callers of one instance who wait for the same count, in the order in which they came. Only the first of a line asks Redis,
 * so a line costs no more when it is long; and each line has a bound of its own, so one that is full keeps nobody out of
 * another.
 */
export class WaitingLines {
  private readonly lines = new Map<string, Line>();

  constructor(private readonly maxLength: number) {}

  /**
   * Asks again and again, when it is the caller's turn, until there is an answer.
   *
   * @param ask gives undefined as long as others are in the way
   * @param patience until when the caller waits
   * @returns undefined when the line is full or the patience is over
   */
  async wait<Answer>(
    name: string,
    patience: Deadline,
    ask: () => Promise<Answer | undefined>,
  ): Promise<Answer | undefined> {
    const line = this.lines.get(name) ?? { length: 0, tail: Promise.resolve() };
    if (line.length >= this.maxLength) {
      return undefined;
    }
    this.lines.set(name, line);
    line.length += 1;
    let leave: () => void = () => undefined;
    const own = new Promise<void>((done) => (leave = done));
    const before = line.tail;
    line.tail = before.then(async () => own);
    try {
      await patience.limit(before, () => new Error('too late')).catch(() => undefined);
      while (!patience.hasPassed) {
        const answer = await ask();
        if (answer !== undefined) {
          return answer;
        }
        await delay(POLL_MS);
      }
      return undefined;
    } finally {
      line.length -= 1;
      if (line.length === 0) {
        this.lines.delete(name);
      }
      leave();
    }
  }
}
