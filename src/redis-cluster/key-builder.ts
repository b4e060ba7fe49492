const SAFE_PART = /^[A-Za-z0-9_-]{1,128}$/;
const SCHEMA_VERSION = 'v1';

/** Builds every key of the product: `<prefix>v1:{<tag>}:<part>:<part>`. Keys with the same tag share a hash slot. */
export class KeyBuilder {
  constructor(private readonly prefix: string) {
    if (/[{}\s]/.test(prefix)) {
      throw new Error('REDIS_KEY_PREFIX must not contain braces or spaces');
    }
  }

  /**
   * @param tag determines the slot: a kind and an id, such as `['user', id]`
   * @param parts the rest of the name
   * @throws if a part has other characters than letters, digits, `_` and `-`: input must not be able to name another key
   */
  key(tag: readonly [kind: string, id: string], ...parts: string[]): string {
    for (const part of [...tag, ...parts]) {
      if (!SAFE_PART.test(part)) {
        throw new Error('a key part holds characters that are not allowed');
      }
    }
    return `${this.prefix}${SCHEMA_VERSION}:{${tag.join('.')}}:${parts.join(':')}`;
  }

  /** @returns a pattern for `scanKeys` that matches `key([kind, id], ...parts)` for every id */
  patternFor(kind: string, ...parts: string[]): string {
    const prefix = this.prefix.replace(/[\\*?[\]]/g, '\\$&');
    return `${prefix}${SCHEMA_VERSION}:{${kind}.*}:${parts.join(':')}`;
  }

  /** @returns the id in the tag of a key that `key` has built */
  idIn(key: string): string {
    return key.slice(key.indexOf('.', this.prefix.length) + 1, key.lastIndexOf('}'));
  }
}
