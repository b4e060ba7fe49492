import { Subject } from 'rxjs';

import { EndingIterator } from './ending-iterator.js';

const DONE = { done: true, value: undefined };
const NEVER = new Promise<never>(() => undefined);

describe('EndingIterator', () => {
  let end: Subject<void>;
  /** What the source has done. */
  let events: string[];
  beforeEach(() => {
    end = new Subject();
    events = [];
  });
  async function* source(last: Promise<unknown> = Promise.resolve()): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
      await last;
    } finally {
      events.push('closed');
    }
  }

  it('passes all values on, and stops watching at the last one', async () => {
    const values: number[] = [];
    for await (const value of new EndingIterator(source(), end)) {
      values.push(value);
    }

    expect(values).toEqual([1, 2]);
    expect(end.observed).toBe(false);
  });

  it('ends between values, and closes the source', async () => {
    const iterator = new EndingIterator(source(), end);
    expect(await iterator.next()).toEqual({ done: false, value: 1 });

    end.next();

    expect(await iterator.next()).toEqual(DONE);
    expect(events).toEqual(['closed']);
    expect(end.observed).toBe(false);
  });

  it('ends while values are awaited, also if the source does not close', async () => {
    const iterator = new EndingIterator(source(NEVER), end);
    await iterator.next();
    await iterator.next();
    const awaited = [iterator.next(), iterator.next()];

    end.next();

    expect(await Promise.all(awaited)).toEqual([DONE, DONE]);
    expect(await iterator.next()).toEqual(DONE);
  });

  it('drops a value that the source has at the same moment', async () => {
    const iterator = new EndingIterator(source(), end);
    const awaited = iterator.next();

    end.next();

    expect(await awaited).toEqual(DONE);
  });

  it('passes an error on, and stops watching', async () => {
    const iterator = new EndingIterator(source(Promise.reject(new Error('lost'))), end);
    await iterator.next();
    await iterator.next();

    await expect(iterator.next()).rejects.toThrow('lost');
    expect(end.observed).toBe(false);
  });

  it('closes the source and stops watching when its reader leaves', async () => {
    for await (const value of new EndingIterator(source(), end)) {
      expect(value).toBe(1);
      break;
    }

    expect(events).toEqual(['closed']);
    expect(end.observed).toBe(false);
    expect(await new EndingIterator({ next: async () => NEVER }, end).return()).toEqual(DONE);
  });
});
