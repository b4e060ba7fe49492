import { setTimeout as delay } from 'node:timers/promises';

import type { Deadline } from '../common/deadline/index.js';

const POLL_INTERVAL_MS = 50;

interface Queue {
  length: number;
  /** Settles when all callers have left the queue. */
  tail: Promise<void>;
}

/**
 * FIFO queues of the callers of one instance that wait for the same count. Only the first caller of a queue asks Redis, so a
 * long queue costs no more. Each queue has its own limit, so a full queue does not affect the others.
 */
export class WaitQueues {
  private readonly queues = new Map<string, Queue>();

  constructor(private readonly maxLength: number) {}

  /**
   * Waits for the caller's turn, then polls until there is an answer.
   *
   * @param waitDeadline the end of the wait
   * @param ask returns undefined while other attempts are in progress
   * @returns undefined when the queue is full or the deadline has passed
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
