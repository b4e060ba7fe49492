import { LRUCache } from 'lru-cache';

import type { CacheKey } from './cache-key.js';
import type { Entry } from './entry.js';

/**
 * Estimated memory of an entry besides its value: the key, the entries in both indexes, and the overhead of JavaScript
 * objects (for example, a `Date` needs three times the memory of its JSON text). Measured with session states, one for each
 * subject: test/counts/instance-memory.counts-spec.ts.
 */
const ENTRY_OVERHEAD_BYTES = 600;
const BYTES_PER_CHARACTER = 2;
const UNKNOWN_BYTES = 4096;

/**
 * A load in progress. If the subject changes before the load ends, the load is detached: later callers do not share it, and
 * its value is not stored.
 */
export interface Load<Value> {
  readonly id: string;
  promise: Promise<Value> | undefined;
}

/** The bounded memory of one instance, and its loads in progress. It does not know about leases. */
export class LocalStore {
  private readonly entries: LRUCache<string, Entry>;
  private readonly loads = new Map<string, Load<unknown>>();
  private unsharedLoads = 0;
  /** The entries and loads that a change of a subject invalidates. */
  private readonly idsOfSubject = new Map<string, Set<string>>();
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(maxEntries: number, maxBytes: number) {
    this.entries = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      dispose: (entry, id, reason) => {
        entry.value = undefined;
        if (reason !== 'set' && !this.loads.has(id)) {
          this.forget(entry.subject, id);
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
    const entry = this.lookUp(key, Math.floor(now / 1000));
    return entry !== undefined && now < entry.expiresAt ? (entry.value as Value) : undefined;
  }

  /** Whether the value is in memory, and should be loaded again. */
  isRefreshDue({ id }: CacheKey<unknown>, now: number): boolean {
    const entry = this.entries.peek(id);
    return entry?.refreshAt !== undefined && now >= entry.refreshAt;
  }

  /** On the monotonic clock. @returns undefined when the value is not in memory */
  expiryOf({ id }: CacheKey<unknown>): number | undefined {
    return this.entries.peek(id)?.expiresAt;
  }

  loadOf<Value>(key: CacheKey<Value>): Promise<Value> | undefined {
    return this.loads.get(key.id)?.promise as Promise<Value> | undefined;
  }

  /** @param isShared whether concurrent callers may wait for this load */
  beginLoad<Value>({ subject, id }: CacheKey<Value>, isShared: boolean): Load<Value> {
    this.unsharedLoads += isShared ? 0 : 1;
    const load: Load<Value> = {
      // Cannot collide with a cache key: those begin with a digit.
      id: isShared ? id : `unshared:${this.unsharedLoads}`,
      promise: undefined,
    };
    this.loads.set(load.id, load);
    this.remember(subject, load.id);
    return load;
  }

  /** Stores the loaded value, unless the subject has changed since the load began. */
  finishLoad<Value>(
    key: CacheKey<Value>,
    load: Load<Value>,
    value: Value,
    expiresAt: number,
    refreshAt?: number,
  ): void {
    if (this.loads.get(load.id) !== load) {
      return;
    }
    const { subject } = key;
    const entry: Entry =
      refreshAt === undefined
        ? { value, subject, expiresAt }
        : { value, subject, expiresAt, refreshAt };
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

  /** Invalidates all parts of a subject and detaches its loads. Later callers start a new load. */
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

  /**
   * @param listener called each time the subject is invalidated. It must not throw
   * @returns a function that removes the listener
   */
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

  /** Number of subjects with listeners. */
  get listenedCount(): number {
    return this.listeners.size;
  }

  /** The first read of a second looks the entry up, so that it counts as recently used. */
  private lookUp(key: CacheKey<unknown>, second: number): Entry | undefined {
    const { found } = key;
    if (found?.store === this && found.second === second && found.entry.value !== undefined) {
      return found.entry;
    }
    const entry = this.entries.get(key.id);
    key.found = entry && { store: this, entry, second };
    return entry;
  }

  private remember(subject: string, id: string): void {
    const ids = this.idsOfSubject.get(subject);
    if (ids) {
      ids.add(id);
    } else {
      // Not `new Set([id])`, for which Node 22 and later reserve 80 bytes more.
      this.idsOfSubject.set(subject, new Set<string>().add(id));
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
    const members = (_: string, one: unknown): unknown => (one instanceof Set ? [...one] : one);
    return BYTES_PER_CHARACTER * (JSON.stringify(value, members)?.length ?? 0);
  } catch {
    return UNKNOWN_BYTES; // The value has no JSON: it holds a cycle or a bigint.
  }
}
