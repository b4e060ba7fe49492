import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { CacheKey } from './cache-key.js';
import { LocalStore } from './local-store.js';

const FOR_EVER = Infinity;
const user = (part: string): CacheKey<string> => new CacheKey('user', part);

describe('the local store', () => {
  const put = <Value>(
    store: LocalStore,
    key: CacheKey<Value>,
    value: Value,
    expiresAt = FOR_EVER,
  ): void => {
    const load = store.beginLoad(key, true);
    store.finishLoad(key, load, value, expiresAt);
    store.endLoad(key, load);
  };

  it('drops every part of a subject', () => {
    const store = new LocalStore(10, 100_000);
    put(store, user('a'), 'one');
    put(store, user('b'), 'two');
    put(store, new CacheKey('other'), 'three');

    store.drop('user');

    expect([store.read(user('a'), 0), store.read(user('b'), 0)]).toEqual([undefined, undefined]);
    expect(store.read(new CacheKey('other'), 0)).toBe('three');
  });

  it.each([[true], [false]])(
    'does not store the value of a detached load (shared: %s)',
    (isShared) => {
      const store = new LocalStore(10, 100_000);
      const load = store.beginLoad(user('a'), isShared);

      store.drop('user');
      store.finishLoad(user('a'), load, 'old', FOR_EVER);
      store.endLoad(user('a'), load);

      expect(store.read(user('a'), 0)).toBeUndefined();
      expect(store.entryCount).toBe(0);
    },
  );

  it('detaches a load even if an older entry of the same key was evicted in the meantime', () => {
    const store = new LocalStore(1, 100_000);
    put(store, user('a'), 'expired');
    const load = store.beginLoad(user('a'), true);
    put(store, new CacheKey('other'), 'takes the only place');

    store.drop('user');
    store.finishLoad(user('a'), load, 'old', FOR_EVER);

    expect(store.read(user('a'), 0)).toBeUndefined();
  });

  it('keeps a newer load when an older one of the same key ends', () => {
    const store = new LocalStore(10, 100_000);
    const older = store.beginLoad(user('a'), true);
    store.drop('user');
    const newer = store.beginLoad(user('a'), true);

    store.finishLoad(user('a'), older, 'old', FOR_EVER);
    store.endLoad(user('a'), older);
    store.finishLoad(user('a'), newer, 'new', FOR_EVER);
    store.endLoad(user('a'), newer);

    expect(store.read(user('a'), 0)).toBe('new');
    store.drop('user');
    expect(store.read(user('a'), 0)).toBeUndefined();
  });

  it('returns no value past its maximum age', () => {
    const store = new LocalStore(10, 100_000);
    const load = store.beginLoad(user('a'), true);
    store.finishLoad(user('a'), load, 'one', 1000);

    expect(store.read(user('a'), 999)).toBe('one');
    expect(store.read(user('a'), 1000)).toBeUndefined();
  });

  it('calls the listeners of a subject at each drop of it, until they are removed', () => {
    const store = new LocalStore(10, 100_000);
    const heard: string[] = [];
    const removeOne = store.onDrop('user', () => heard.push('one'));
    const removeTwo = store.onDrop('user', () => heard.push('two'));
    const removeOther = store.onDrop('other', () => heard.push('other'));

    store.drop('user');
    expect(heard).toEqual(['one', 'two']);
    removeOne();
    removeOne();
    store.dropAll();
    expect(heard).toEqual(['one', 'two', 'two', 'other']);
    removeTwo();
    removeOther();
    store.dropAll();

    expect(heard).toHaveLength(4);
    expect(store.listenedCount).toBe(0);
  });

  it('stores values that cannot be serialized to JSON', () => {
    const store = new LocalStore(10, 100_000);
    const key = new CacheKey<bigint>('big');
    const load = store.beginLoad(key, true);
    store.finishLoad(key, load, 1n, FOR_EVER);

    expect(store.read(key, 0)).toBe(1n);
    expect(store.bytes).toBeGreaterThan(0);
  });

  /** Reads within one second do not look the entry up again, if they use the same key object. */
  describe('with a key object that has found an entry before', () => {
    const MAX_BYTES = 100_000;
    const found = (store: LocalStore): CacheKey<string> => {
      const key = user('a');
      put(store, key, 'one');
      expect(store.read(key, 0)).toBe('one');
      return key;
    };

    it.each<[string, (store: LocalStore) => void, string | undefined]>([
      ['a drop of the subject', (store) => store.drop('user'), undefined],
      ['a drop of everything', (store) => store.dropAll(), undefined],
      ['an eviction', (store) => put(store, new CacheKey('other'), 'two'), undefined],
      ['a newer value', (store) => put(store, user('a'), 'new'), 'new'],
      [
        'a newer value that is too large for the memory',
        (store) => put(store, user('a'), 'x'.repeat(MAX_BYTES)),
        undefined,
      ],
      [
        'a drop and a newer value',
        (store) => {
          store.drop('user');
          put(store, user('a'), 'new');
        },
        'new',
      ],
    ])('returns after %s what a new key object returns', (_, change, expected) => {
      const store = new LocalStore(1, MAX_BYTES);
      const key = found(store);

      change(store);

      expect([store.read(key, 0), store.read(user('a'), 0)]).toEqual([expected, expected]);
    });

    it('returns no value past its maximum age, within the same second', () => {
      const store = new LocalStore(10, MAX_BYTES);
      const key = user('a');
      put(store, key, 'one', 1500);

      expect(store.read(key, 1499)).toBe('one');
      expect(store.read(key, 1500)).toBeUndefined();
    });

    it('finds in each store the value of this store', () => {
      const [first, second] = [new LocalStore(10, MAX_BYTES), new LocalStore(10, MAX_BYTES)];
      const key = found(first);

      expect(second.read(key, 0)).toBeUndefined();
      put(second, key, 'two');
      expect([first.read(key, 0), second.read(key, 0), first.read(key, 0)]).toEqual([
        'one',
        'two',
        'one',
      ]);
    });

    it('evicts entries that nobody reads before the one that is read every second', () => {
      const store = new LocalStore(2, MAX_BYTES);
      const key = found(store);
      for (let second = 1; second <= 3; second += 1) {
        put(store, new CacheKey(`unread-${second}`), 'two');
        expect(store.read(key, second * 1000)).toBe('one');
      }

      expect(store.read(new CacheKey('unread-2'), 3000)).toBeUndefined();
      expect(store.read(new CacheKey('unread-3'), 3000)).toBe('two');
    });

    it.each<[string, (store: LocalStore) => void]>([
      ['dropped', (store) => store.drop('user')],
      ['evicted', (store) => put(store, new CacheKey('other'), 'two')],
      ['replaced', (store) => put<object>(store, new CacheKey('user', 'a'), {})],
    ])('does not keep a value in memory that was %s', async (_, remove) => {
      setFlagsFromString('--expose-gc');
      const collectGarbage = runInNewContext('gc') as () => void;
      const store = new LocalStore(1, MAX_BYTES);
      const key = new CacheKey<object>('user', 'a');
      const readValue = (): WeakRef<object> => {
        put(store, key, { of: 'user' });
        return new WeakRef(store.read(key, 0)!);
      };
      const value = readValue();
      // A reference is strong until the end of the task that created or read it.
      await setImmediate();
      collectGarbage();
      expect(value.deref()).toBeDefined();

      remove(store);
      await setImmediate();
      collectGarbage();

      expect(value.deref()).toBeUndefined();
      expect(key).toBeDefined();
    });
  });
});
