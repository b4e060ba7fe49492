import { sha256 } from '../../common/digest/index.js';

/** A number of this many bits is exact in JavaScript. */
const HEX_DIGITS = 13;

/**
 * The users of a dry run, which are not written. It keeps a short digest of each id and name: about 100 bytes for a user. With a
 * million users, two names have the same digest in fewer than one of a thousand runs, which then reports one refusal too many.
 */
export class SeenNames {
  private readonly ids = new Set<number>();
  private readonly names = new Set<number>();

  /** @param keys all forms of the name, of which none may be known */
  add(id: string, keys: readonly string[]): 'new' | 'known-id' | 'known-name' {
    const idDigest = digestOf(id);
    if (this.ids.has(idDigest)) {
      return 'known-id';
    }
    const digests = [...new Set(keys)].map(digestOf);
    if (digests.some((digest) => this.names.has(digest))) {
      return 'known-name';
    }
    this.ids.add(idDigest);
    digests.forEach((digest) => this.names.add(digest));
    return 'new';
  }
}

function digestOf(text: string): number {
  return parseInt(Buffer.from(sha256(text), 'base64url').toString('hex').slice(0, HEX_DIGITS), 16);
}
