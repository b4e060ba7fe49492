import type { Observable, Subscription } from 'rxjs';

/**
 * Passes the values of an iterator on, and ends when `end` emits, also while a value is awaited. It then closes the iterator, and
 * does not wait for that: an async generator closes only after its next value.
 */
export class EndingIterator<Value> implements AsyncIterableIterator<Value, undefined, undefined> {
  private readonly waiting = new Set<(result: IteratorReturnResult<undefined>) => void>();
  private readonly watching: Subscription | undefined;
  private isDone = false;

  constructor(
    private readonly source: AsyncIterator<Value>,
    end: Observable<unknown>,
  ) {
    this.watching = end.subscribe(() => {
      this.finish();
      source.return?.().catch(() => undefined);
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Value, undefined>> {
    if (this.isDone) {
      return { done: true, value: undefined };
    }
    let wait: (result: IteratorReturnResult<undefined>) => void = () => undefined;
    const ended = new Promise<IteratorReturnResult<undefined>>((resolve) => (wait = resolve));
    this.waiting.add(wait);
    try {
      const result = await Promise.race([this.source.next(), ended]);
      if (!result.done && !this.isDone) {
        return result;
      }
      this.finish();
      return { done: true, value: undefined };
    } catch (error) {
      this.finish();
      throw error;
    } finally {
      this.waiting.delete(wait);
    }
  }

  /** The reader has gone. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.finish();
    await this.source.return?.();
    return { done: true, value: undefined };
  }

  private finish(): void {
    this.isDone = true;
    this.watching?.unsubscribe();
    this.waiting.forEach((wait) => wait({ done: true, value: undefined }));
  }
}
