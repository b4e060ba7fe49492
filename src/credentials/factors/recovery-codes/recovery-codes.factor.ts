import { randomBytes } from 'node:crypto';

import { sha256 } from '../../../common/digest/index.js';
import type { SecondFactor } from '../second-factor.js';

export const RECOVERY_CODE = 'recovery-code';

const COUNT = 10;
/** Crockford's base32, without letters that look like digits. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/**
 * 80 bits, too many to guess, so a fast digest is enough, and strangers cannot block the codes with wrong ones (NIST SP 800-63B-4 section
 * 3.1.2.2 requires a limit below 64 bits).
 */
const LETTERS = 16;
const GROUP = 4;

interface RecoveryState {
  /** SHA-256 of each code that was not used, in base64url. */
  readonly digests: readonly string[];
}

/** Ten codes for a user who has lost the other factors. Each counts once. */
export class RecoveryCodesFactor implements SecondFactor {
  readonly type = RECOVERY_CODE;
  readonly methods = ['otp'] as const;
  readonly isOnly = true;
  readonly isGuessable = false;

  /** @returns the codes to show, and the state, which contains only digests of them */
  create(): { readonly codes: readonly string[]; readonly state: string } {
    const codes = Array.from({ length: COUNT }, newCode);
    const state: RecoveryState = { digests: codes.map(digestOf) };
    return { codes, state: JSON.stringify(state) };
  }

  check(text: string, proof: unknown): Promise<string | undefined> {
    const { digests } = JSON.parse(text) as RecoveryState;
    const digest = typeof proof === 'string' ? digestOf(proof) : '';
    if (!digests.includes(digest)) {
      return Promise.resolve(undefined);
    }
    const next: RecoveryState = { digests: digests.filter((one) => one !== digest) };
    return Promise.resolve(JSON.stringify(next));
  }

  /** How many codes are left. */
  left(text: string): number {
    return (JSON.parse(text) as RecoveryState).digests.length;
  }
}

function newCode(): string {
  const letters = Array.from(randomBytes(LETTERS), (byte) => ALPHABET[byte % ALPHABET.length]!);
  const groups: string[] = [];
  while (letters.length > 0) {
    groups.push(letters.splice(0, GROUP).join(''));
  }
  return groups.join('-');
}

/** Spaces, hyphens and the case of letters do not matter, and letters that look like digits count as those. */
function digestOf(code: string): string {
  const plain = code.toLowerCase().replace(/[\s-]/g, '').replace(/o/g, '0').replace(/[il]/g, '1');
  return sha256(plain);
}
