import { setTimeout as delay } from 'node:timers/promises';

import type { Deadline } from '../common/deadline/index.js';

const POLL_INTERVAL_MS = 50;

interface Queue {
  length: number;
  /** Settles when everybody in the queue has left it. */
  tail: Promise<void>;
}

/**
 * Callers of one instance who wait for the same count, in the order in which they came. Only the first of a queue asks Redis,
 * so a queue costs no more when it is long; and each queue has a bound of its own, so one that is full keeps nobody out of
 * another.
 */
export class WaitQueues {
  private readonly queues = new Map<string, Queue>();

  constructor(private readonly maxLength: number) {}

  /**
   * Asks again and again, when it is the caller's turn, until there is an answer.
   *
   * @param ask gives undefined as long as others are in the way
   * @param waitDeadline until when the caller waits
   * @returns undefined when the queue is full or the waitDeadline is over
   */
  async wait<Answer>(
    name: string,
    waitDeadline: Deadline,
    ask: () => Promise<Answer | undefined>,
  ): Promise<Answer | undefined> {
    const queue = this.queues.get(name) ?? { length: 0, tail: Promise.resolve() };
    if (queue.length >= this.maxLength) {
      return undefined;
    }
    this.queues.set(name, queue);
    queue.length += 1;
    let leave: () => void = () => undefined;
    const own = new Promise<void>((done) => (leave = done));
    const before = queue.tail;
    queue.tail = before.then(async () => own);
    try {
      await waitDeadline.limit(before, () => new Error('too late')).catch(() => undefined);
      while (!waitDeadline.hasPassed) {
        const answer = await ask();
        if (answer !== undefined) {
          return answer;
        }
        await delay(POLL_INTERVAL_MS);
      }
      return undefined;
    } finally {
      queue.length -= 1;
      if (queue.length === 0) {
        this.queues.delete(name);
      }
      leave();
    }
  }
}
