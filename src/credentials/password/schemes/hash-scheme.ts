import { timingSafeEqual } from 'node:crypto';

/** Why a hash cannot be verified here. */
export type HashRefusal =
  /** No scheme knows the form of the hash. */
  | 'unknown-hash'
  /** A scheme knows the form, but a part of the hash is not valid. */
  | 'malformed-hash'
  /** Its verification would take too much time or memory. */
  | 'too-expensive';

/** A hash whose parameters are within the bounds. */
export interface ReadableHash {
  /**
   * Verifies the password outside the event loop, in Node's thread pool or in a worker thread. No password is right that would
   * make the check too expensive.
   *
   * @param password as another system has received it, in UTF-8
   */
  verify(password: string): Promise<boolean>;
}

/**
 * A way in which other systems hash passwords. Each scheme has an upper bound for time and memory: a verification takes no
 * longer than about a second of a core, so that no login takes longer than about two. See `verifyImportedHash`.
 */
export interface HashScheme {
  /** @returns undefined when the hash has another scheme */
  read(text: string): ReadableHash | HashRefusal | undefined;
}

/** A shorter result is too easy to meet by chance. */
const MIN_DIGEST_BYTES = 16;
const MAX_DIGEST_BYTES = 128;

export function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** @returns the number, or undefined when the text is no decimal number that can be exact */
export function numberIn(text: string | undefined): number | undefined {
  const number = text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

/** Reads base64 with or without padding. @param alphabet `+/` or `./`: what the last two digits are */
export function bytesIn(text: string, alphabet: '+/' | './' = '+/'): Buffer | undefined {
  const standard = alphabet === './' ? text.replaceAll('.', '+') : text;
  return /^[A-Za-z0-9+/]*={0,2}$/.test(standard) ? Buffer.from(standard, 'base64') : undefined;
}

/** Reads the result of a hash function in base64. @returns undefined when it has an unusual length */
export function digestIn(text: string, alphabet: '+/' | './' = '+/'): Buffer | undefined {
  const digest = bytesIn(text, alphabet);
  return digest && digest.length >= MIN_DIGEST_BYTES && digest.length <= MAX_DIGEST_BYTES
    ? digest
    : undefined;
}
