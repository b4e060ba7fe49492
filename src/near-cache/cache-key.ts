import type { Found } from './entry.js';

/**
 * Names a value in the cache. A subject (`user.<id>`) may have several parts, such as one for each session of the user. A
 * change of the subject invalidates all its parts.
 */
export class CacheKey<Value> {
  /** @internal The entry that the last read with this key found. The store uses it to skip the next look-up. */
  found: Found | undefined;

  /** The type that `get` returns for this key. It exists only for the compiler. */
  declare protected readonly value: Value;
  readonly id: string;

  /**
   * @param subject the name of a group of values that are invalidated together. It is stored in Redis in plain text, so it
   * must not contain personal data
   * @param part one of the subject's values
   */
  constructor(
    readonly subject: string,
    part = '',
  ) {
    // The length prefix makes the boundary between subject and part unambiguous.
    this.id = `${subject.length}:${subject}${part}`;
  }
}
