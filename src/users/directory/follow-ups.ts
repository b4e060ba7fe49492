/** The limit leaves capacity for requests. */
const MAX_CONCURRENT = 16;
/** Work beyond it is dropped, so that a flood of refused requests takes no memory. */
const MAX_WAITING = 10_000;
/** All attempts together take longer than a failover. */
const ATTEMPTS = 5;

type Work = () => Promise<unknown>;

/** Work that follows changes, for which no client waits. It may be lost, and is repeated after an error. */
export class FollowUps {
  private readonly waiting: Work[] = [];
  private running = 0;

  add(work: Work): void {
    if (this.waiting.length < MAX_WAITING) {
      this.waiting.push(work);
    }
    if (this.running < MAX_CONCURRENT) {
      void this.runWaiting();
    }
  }

  private async runWaiting(): Promise<void> {
    this.running += 1;
    for (let work = this.waiting.shift(); work; work = this.waiting.shift()) {
      await untilDone(work);
    }
    this.running -= 1;
  }
}

async function untilDone(work: Work): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      await work();
      return;
    } catch {
      // No pause is needed, because a failed attempt has used the whole retry budget of a Redis call.
    }
  }
}
