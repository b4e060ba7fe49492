import { forEachConcurrently } from './index.js';

describe('work for each of many items', () => {
  it('is done once for each, for no more than the limit at the same time', async () => {
    const done: number[] = [];
    const counts: number[] = [];
    let running = 0;

    await forEachConcurrently(new Set([1, 2, 3, 4, 5, 6, 7]), 3, async (item) => {
      counts.push((running += 1));
      await new Promise(setImmediate);
      running -= 1;
      done.push(item);
    });

    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(Math.max(...counts)).toBe(3);
  });

  it('ends with the first error, begins nothing more, and waits for what is in progress', async () => {
    const begun: number[] = [];
    let ended = 0;
    const work = forEachConcurrently([1, 2, 3, 4, 5, 6], 2, async (item) => {
      begun.push(item);
      if (item === 1) {
        throw new Error('the first one');
      }
      await new Promise(setImmediate);
      ended += 1;
    });

    await expect(work).rejects.toThrow('the first one');
    expect(begun).toEqual([1, 2]);
    expect(ended).toBe(1);
  });

  it('takes items that come one after the other, and closes what they come from after an error', async () => {
    const taken: number[] = [];
    let isClosed = false;
    async function* numbers(): AsyncGenerator<number> {
      try {
        for (let number = 1; number <= 100; number += 1) {
          await new Promise(setImmediate);
          yield number;
        }
      } finally {
        isClosed = true;
      }
    }
    const work = forEachConcurrently(numbers(), 3, async (number) => {
      taken.push(number);
      await new Promise(setImmediate);
      if (number === 5) {
        throw new Error('the fifth one');
      }
    });

    await expect(work).rejects.toThrow('the fifth one');
    expect(taken.length).toBeLessThan(10);
    expect(isClosed).toBe(true);
  });
});
