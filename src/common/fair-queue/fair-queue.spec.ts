import { FairQueue } from './fair-queue.js';

/** Removes all entries, in queue order. */
const drain = (queue: FairQueue<string>): string[] =>
  Array.from({ length: queue.size }, () => queue.shift()!);

describe('a fair queue', () => {
  it('takes one entry of each owner in turn, for any number of entries of an owner', () => {
    const queue = new FairQueue<string>(100);
    for (let count = 0; count < 50; count += 1) {
      queue.push(['flood', `account-${count % 2}`], `flood ${count}`);
    }
    queue.push(['one', 'a'], 'one');
    queue.push(['other', 'b'], 'other');

    expect(drain(queue).slice(0, 3)).toEqual(['flood 0', 'one', 'other']);
    expect(queue.size).toBe(0);
    expect(queue.shift()).toBeUndefined();
  });

  it('takes turns at each level: accounts of one network share the turns of the network', () => {
    const queue = new FairQueue<string>(100);
    for (const entry of ['a1', 'a2', 'a3']) {
      queue.push(['network', 'a'], entry);
    }
    queue.push(['network', 'b'], 'b1');
    queue.push(['elsewhere', 'c'], 'c1');

    expect(drain(queue)).toEqual(['a1', 'c1', 'b1', 'a2', 'a3']);
  });

  it('keeps the order of the entries of one owner', () => {
    const queue = new FairQueue<string>(10);
    for (const entry of ['1', '2', '3']) {
      queue.push(['owner'], entry);
    }

    expect(drain(queue)).toEqual(['1', '2', '3']);
  });

  it('drops the newest entry of the largest owner when it is full', () => {
    const queue = new FairQueue<string>(4);
    const dropped = ['f1', 'f2', 'f3', 'f4', 'f5'].map((entry) => queue.push(['flood'], entry));

    expect(dropped).toEqual([undefined, undefined, undefined, undefined, 'f5']);
    expect(queue.push(['one'], 'one')).toBe('f4');
    expect(queue.push(['other'], 'other')).toBe('f3');
    expect(queue.size).toBe(4);
    expect(drain(queue)).toEqual(['f1', 'one', 'other', 'f2']);
  });

  it('refuses a new entry when no owner has more entries than its owner', () => {
    const queue = new FairQueue<string>(2);
    queue.push(['a'], 'a');
    queue.push(['b'], 'b');

    expect(queue.push(['c'], 'c')).toBe('c');
    expect(drain(queue)).toEqual(['a', 'b']);
  });

  it('reserves the places of each share of owners', () => {
    const queue = new FairQueue<string>(8, { stranger: 3, known: 1 });
    for (let count = 0; count < 8; count += 1) {
      queue.push(['stranger', `network-${count}`], `stranger ${count}`);
    }

    expect(queue.push(['known', 'home'], 'known 0')).toBe('stranger 7');
    expect(queue.push(['known', 'home'], 'known 1')).toBe('stranger 6');
    // The share of `known` is two of eight places. An owner above its share cannot displace others.
    expect(queue.push(['known', 'home'], 'known 2')).toBe('known 2');
    expect(queue.push(['stranger', 'network-9'], 'stranger 9')).toBe('stranger 9');
    expect(drain(queue).slice(0, 4)).toEqual(['stranger 0', 'known 0', 'stranger 1', 'known 1']);
  });

  it('removes an entry, and reports whether it was in the queue', () => {
    const queue = new FairQueue<string>(3);
    queue.push(['a', 'x'], '1');
    queue.push(['a', 'x'], '2');

    expect(queue.remove(['a', 'x'], '1')).toBe(true);
    expect(queue.remove(['a', 'x'], '1')).toBe(false);
    expect(queue.remove(['b', 'x'], '2')).toBe(false);
    expect(drain(queue)).toEqual(['2']);
    expect(queue.remove(['a', 'x'], '2')).toBe(false);
  });
});
