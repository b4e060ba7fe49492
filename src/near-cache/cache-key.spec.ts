import { CacheKey } from './cache-key.js';
import { LocalStore } from './local-store.js';

describe('a cache key', () => {
  it('differs whenever subject or part differ, for any characters', () => {
    const signs = ['', 'a', '1', ':', '\n', '\0', '.', '\ud800', 'ab', '1:', ':1', 'a\nb', '12:a'];
    const texts = signs.flatMap((one) => signs.map((other) => one + other));
    const different = new Set(texts);

    const ids = new Set<string>();
    for (const subject of different) {
      for (const part of different) {
        ids.add(new CacheKey(subject, part).id);
      }
    }

    expect(ids.size).toBe(different.size ** 2);
  });

  it('is the same without a part and with an empty part', () =>
    expect(new CacheKey('a').id).toBe(new CacheKey('a', '').id));

  it('cannot equal the id of an unshared load', () => {
    const store = new LocalStore(10, 10_000);
    const key = new CacheKey<string>('a', 'b');
    const { id } = store.beginLoad(key, false);

    const text = /^\d+:/;
    expect(key.id).toMatch(text);
    expect(id).not.toMatch(text);
    expect(store.loadOf(key)).toBeUndefined();
  });
});
