import { BoundedMap } from './bounded-map.js';

const keysIn = (map: Pick<BoundedMap<unknown>, 'has'>, keys: readonly string[]): string[] =>
  keys.filter((key) => map.has(key));

describe('BoundedMap', () => {
  it('evicts the oldest entry that was not read', () => {
    const evicted: string[] = [];
    const map = new BoundedMap<number>({ maxEntries: 3, onEvict: (_, key) => evicted.push(key) });
    ['a', 'b', 'c', 'd'].forEach((key, index) => map.set(key, index));
    expect(evicted).toEqual(['a']);

    map.get('b');
    map.peek('c');
    map.set('e', 4);

    expect(evicted).toEqual(['a', 'c']);
    expect(keysIn(map, ['a', 'b', 'c', 'd', 'e'])).toEqual(['b', 'd', 'e']);
  });

  it('keeps what is read often, however many others are stored', () => {
    const map = new BoundedMap<number>({ maxEntries: 10 });
    map.set('often', 1);
    for (let index = 0; index < 1000; index += 1) {
      map.set(`once-${index}`, index);
      expect(map.get('often')).toBe(1);
      expect(map.size).toBeLessThanOrEqual(10);
    }
    expect(map.get('once-999')).toBe(999);
    expect(map.get('once-0')).toBeUndefined();
  });

  it('makes room for as many bytes as a value needs', () => {
    const map = new BoundedMap<string>({ maxEntries: 10, maxBytes: 100 });
    map.set('a', 'one', 40);
    map.set('b', 'two', 40);
    map.set('c', 'three', 90);

    expect(map.bytes).toBe(90);
    expect(keysIn(map, ['a', 'b', 'c'])).toEqual(['c']);
  });

  it('does not store a value that is larger than the map, and forgets the former one', () => {
    const evicted: string[] = [];
    const map = new BoundedMap<string>({
      maxEntries: 10,
      maxBytes: 100,
      onEvict: (_, key) => evicted.push(key),
    });
    map.set('a', 'one', 40);
    map.set('b', 'two', 40);

    expect(map.set('a', 'too large', 101)).toBe(false);

    expect([map.get('a'), map.get('b'), map.bytes]).toEqual([undefined, 'two', 40]);
    expect(evicted).toEqual([]);
  });

  it('counts the bytes of what is replaced, deleted and cleared', () => {
    const map = new BoundedMap<string>({ maxEntries: 10, maxBytes: 100 });
    map.set('a', 'one', 40);
    map.set('a', 'two', 50);
    expect([map.size, map.bytes]).toEqual([1, 50]);

    expect([map.delete('a'), map.delete('a')]).toEqual([true, false]);
    expect([map.size, map.bytes]).toEqual([0, 0]);

    map.set('b', 'three', 100);
    map.clear();
    map.set('c', 'four', 100);
    expect([map.get('b'), map.get('c'), map.bytes]).toEqual([undefined, 'four', 100]);
  });
});
