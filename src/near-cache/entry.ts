/** A value in the memory of an instance. */
export interface Entry {
  /** Undefined when the entry has left the memory: a key may still know it. */
  value: unknown;
  readonly subject: string;
  /** On the monotonic clock, in milliseconds. */
  readonly expiresAt: number;
  /** When the value should be loaded again, although it is still valid. Most entries do not have it: it would take memory. */
  readonly refreshAt?: number;
}

/** What a look-up with a key found. */
export interface Found {
  /** The store that holds the entry. */
  readonly store: object;
  readonly entry: Entry;
  /** When, in whole seconds on the monotonic clock. */
  readonly second: number;
}
