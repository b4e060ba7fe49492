import { LRUCache } from 'lru-cache';

import type { CacheKey } from './cache-key.js';

/**
 * For an entry with its key, its place in both indexes, and what the engine adds to the objects of a value: a date is three
 * times its JSON. Measured with the state of sessions, alone in their subjects: test/counts/instance-memory.counts-spec.ts.
 */
const ENTRY_OVERHEAD_BYTES = 600;
const BYTES_PER_CHARACTER = 2;
const UNKNOWN_BYTES = 4096;

interface Entry {
  readonly value: unknown;
  readonly subject: string;
  /** On the monotonic clock, in milliseconds. */
  readonly expiresAt: number;
}

/** A load under way. It is detached, and its value not stored, when the subject changes before it ends. */
export interface Load<Value> {
  readonly id: string;
  promise: Promise<Value> | undefined;
}

/** What one instance remembers, bounded, and what it is loading. It knows nothing of trust. */
export class LocalStore {
  private readonly entries: LRUCache<string, Entry>;
  private readonly loads = new Map<string, Load<unknown>>();
  private unsharedLoads = 0;
  /** Which entries and loads a change of a subject concerns. */
  private readonly idsOfSubject = new Map<string, Set<string>>();
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(maxEntries: number, maxBytes: number) {
    this.entries = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      dispose: ({ subject }, id, reason) => {
        if (reason !== 'set' && !this.loads.has(id)) {
          this.forget(subject, id);
        }
      },
    });
  }

  get entryCount(): number {
    return this.entries.size;
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }

  read<Value>(key: CacheKey<Value>, now: number): Value | undefined {
    const entry = this.entries.get(key.id);
    return entry !== undefined && now < entry.expiresAt ? (entry.value as Value) : undefined;
  }

  loadOf<Value>(key: CacheKey<Value>): Promise<Value> | undefined {
    return this.loads.get(key.id)?.promise as Promise<Value> | undefined;
  }

  /** @param isShared whether others may wait for this load instead of beginning one of their own */
  beginLoad<Value>({ subject, id }: CacheKey<Value>, isShared: boolean): Load<Value> {
    this.unsharedLoads += isShared ? 0 : 1;
    const load: Load<Value> = {
      // No key begins with a letter.
      id: isShared ? id : `unshared:${this.unsharedLoads}`,
      promise: undefined,
    };
    this.loads.set(load.id, load);
    this.remember(subject, load.id);
    return load;
  }

  /** Stores what was loaded, unless the subject has changed meanwhile. */
  finishLoad<Value>(
    key: CacheKey<Value>,
    load: Load<Value>,
    value: Value,
    expiresAt: number,
  ): void {
    if (this.loads.get(load.id) !== load) {
      return;
    }
    const entry = { value, subject: key.subject, expiresAt };
    this.entries.set(key.id, entry, { size: ENTRY_OVERHEAD_BYTES + estimatedBytes(value) });
    if (this.entries.has(key.id)) {
      this.remember(key.subject, key.id);
    }
  }

  endLoad<Value>({ subject }: CacheKey<Value>, load: Load<Value>): void {
    if (this.loads.get(load.id) === load) {
      this.loads.delete(load.id);
      if (!this.entries.has(load.id)) {
        this.forget(subject, load.id);
      }
    }
  }

  /** Forgets all parts of a subject, and detaches the loads of it: who asks from now on loads anew. */
  drop(subject: string): void {
    for (const id of this.idsOfSubject.get(subject) ?? []) {
      this.loads.delete(id);
      this.entries.delete(id);
    }
    this.idsOfSubject.delete(subject);
    this.listeners.get(subject)?.forEach((listener) => listener());
  }

  dropAll(): void {
    this.loads.clear();
    this.entries.clear();
    this.idsOfSubject.clear();
    this.listeners.forEach((listeners) => listeners.forEach((listener) => listener()));
  }

  /** @param listener is called after each drop of the subject, and must not throw @returns what removes it */
  onDrop(subject: string, listener: () => void): () => void {
    const listeners = this.listeners.get(subject) ?? new Set();
    this.listeners.set(subject, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(subject) === listeners) {
        this.listeners.delete(subject);
      }
    };
  }

  /** Subjects that somebody listens to. */
  get listenedCount(): number {
    return this.listeners.size;
  }

  private remember(subject: string, id: string): void {
    const ids = this.idsOfSubject.get(subject);
    if (ids) {
      ids.add(id);
    } else {
      this.idsOfSubject.set(subject, new Set([id]));
    }
  }

  private forget(subject: string, id: string): void {
    const ids = this.idsOfSubject.get(subject);
    if (ids?.delete(id) && ids.size === 0) {
      this.idsOfSubject.delete(subject);
    }
  }
}

function estimatedBytes(value: unknown): number {
  try {
    return BYTES_PER_CHARACTER * (JSON.stringify(value)?.length ?? 0);
  } catch {
    return UNKNOWN_BYTES; // it has no JSON: a cycle, a bigint
  }
}
