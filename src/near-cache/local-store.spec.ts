import { CacheKey } from './cache-key.js';
import { LocalStore } from './local-store.js';

const FOR_EVER = Infinity;
const user = (part: string): CacheKey<string> => new CacheKey('user', part);

describe('the local store', () => {
  const put = (store: LocalStore, key: CacheKey<string>, value: string): void => {
    const load = store.beginLoad(key, true);
    store.finishLoad(key, load, value, FOR_EVER);
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
});
