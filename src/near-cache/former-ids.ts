import type { Inboxes } from './inboxes.js';

/** Registrations in Redis contain fewer former ids of one process. */
const MAX_IDS = 1000;

/** The earlier ids of this process. Nothing is held under them any more, and the other instances have to know that. */
export class FormerIds {
  private ids: string[] = [];
  /** Those whose inbox may still be open, and which may not be marked as retired yet. */
  private unretired: string[] = [];

  constructor(private readonly inboxes: Inboxes) {}

  /** @param id everything that was held under it must be dropped */
  add(id: string): void {
    this.ids = [...this.ids, id].slice(-MAX_IDS);
    this.unretired = [...this.unretired, id].slice(-MAX_IDS);
  }

  has(id: string): boolean {
    return this.ids.includes(id);
  }

  /**
   * Closes the inboxes, and marks the ids as retired. While the shard of a former inbox does not answer, a change finds the
   * mark. When the shard answers again, a change finds the closed inbox and does not wait for the lease. What fails is
   * repeated at the next call.
   */
  retire(): void {
    const ids = this.unretired;
    this.unretired = [];
    for (const id of ids) {
      Promise.all([this.inboxes.close(id), this.inboxes.retire(id)]).catch(() => {
        this.unretired.push(id);
      });
    }
  }

  /** Does this for the last time, because the process stops: it closes the inboxes, and marks those that do not answer. */
  async retireAtStop(): Promise<void> {
    await Promise.all(
      this.unretired.map(async (id) =>
        this.inboxes
          .close(id)
          // Until the shard answers, a change of a subject that was held needs the mark to complete.
          .catch(async () => this.inboxes.retire(id))
          .catch(() => undefined),
      ),
    );
  }
}
