interface Slot<Value> {
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  /** Whether it was read since it was stored, or since it was passed over for eviction. */
  isUsed: boolean;
  older: Slot<Value> | undefined;
  newer: Slot<Value> | undefined;
}

export interface BoundedMapOptions<Value> {
  /** At least 1. */
  readonly maxEntries: number;
  /** Sum of the sizes that `set` receives. Default: no limit. */
  readonly maxBytes?: number;
  /** Called for an entry that makes room for another one, but not for one that is replaced or deleted. */
  readonly onEvict?: (value: Value, key: string) => void;
}

/**
 * A map with a limit. When it is full, it evicts the oldest entry that was not read lately: an entry that was read becomes the
 * newest one instead (second chance, F. J. Corbató, 1968). A read only sets a flag, so it costs no more than in a `Map`. Every
 * request reads several of these maps.
 */
export class BoundedMap<Value> {
  private readonly slots = new Map<string, Slot<Value>>();
  private oldest: Slot<Value> | undefined;
  private newest: Slot<Value> | undefined;
  private totalBytes = 0;

  constructor(private readonly options: BoundedMapOptions<Value>) {}

  get size(): number {
    return this.slots.size;
  }

  get bytes(): number {
    return this.totalBytes;
  }

  get(key: string): Value | undefined {
    const slot = this.slots.get(key);
    if (slot === undefined) {
      return undefined;
    }
    slot.isUsed = true;
    return slot.value;
  }

  /** Does not count as a read. */
  peek(key: string): Value | undefined {
    return this.slots.get(key)?.value;
  }

  has(key: string): boolean {
    return this.slots.has(key);
  }

  /** @returns false if the value is larger than the map. It is then not stored, and the former value is deleted */
  set(key: string, value: Value, bytes = 0): boolean {
    const { maxEntries, maxBytes = Infinity } = this.options;
    this.delete(key);
    if (bytes > maxBytes || maxEntries < 1) {
      return false;
    }
    while (this.slots.size >= maxEntries || this.totalBytes + bytes > maxBytes) {
      this.evictOne();
    }
    const slot = { key, value, bytes, isUsed: false, older: undefined, newer: undefined };
    this.slots.set(key, slot);
    this.totalBytes += bytes;
    this.append(slot);
    return true;
  }

  delete(key: string): boolean {
    const slot = this.slots.get(key);
    if (slot === undefined) {
      return false;
    }
    this.slots.delete(key);
    this.totalBytes -= slot.bytes;
    this.unlink(slot);
    return true;
  }

  clear(): void {
    this.slots.clear();
    this.oldest = undefined;
    this.newest = undefined;
    this.totalBytes = 0;
  }

  private evictOne(): void {
    let slot = this.oldest;
    while (slot?.isUsed === true) {
      slot.isUsed = false;
      this.unlink(slot);
      this.append(slot);
      slot = this.oldest;
    }
    if (slot) {
      this.delete(slot.key);
      this.options.onEvict?.(slot.value, slot.key);
    }
  }

  private append(slot: Slot<Value>): void {
    slot.older = this.newest;
    slot.newer = undefined;
    if (this.newest) {
      this.newest.newer = slot;
    } else {
      this.oldest = slot;
    }
    this.newest = slot;
  }

  private unlink({ older, newer }: Slot<Value>): void {
    if (older) {
      older.newer = newer;
    } else {
      this.oldest = newer;
    }
    if (newer) {
      newer.older = older;
    } else {
      this.newest = older;
    }
  }
}
