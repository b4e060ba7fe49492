/**
 * Names a value in the cache. What is true about one subject (`user.<id>`) may be kept in several parts (one for each of
 * the user's sessions), and a change of the subject concerns them all.
 */
export class CacheKey<Value> {
  /** What `get` returns for this key. Only for the compiler. */
  declare protected readonly value: Value;
  readonly id: string;

  /**
   * @param subject what changes as one; any text that may be seen in Redis, so no personal data
   * @param part which of the subject's values
   */
  constructor(
    readonly subject: string,
    part = '',
  ) {
    // The length tells where the subject ends, whatever is in either.
    this.id = `${subject.length}:${subject}${part}`;
  }
}
