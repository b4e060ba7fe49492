import type { GuessLimit } from '../rate-limit/index.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Limits the wrong passwords for one account, from any address (OWASP ASVS 6.3.1, NIST SP 800-63B-4 section 3.2.2).
 * `PasswordChecks` applies it to every password check. Every block ends by itself, so nobody is locked out permanently. Known
 * devices and live sessions have their own counts: see `Proof`. Tables for operators:
 * docs/operations/passwords-and-limits.md.
 */
export const GUESSES_PER_ACCOUNT: GuessLimit = {
  name: 'password-account',
  failures: 10,
  blockMs: 15 * MINUTE_MS,
  maxBlockMs: DAY_MS,
  ceiling: 100,
  ceilingBlockMs: 7 * DAY_MS,
  memoryMs: 3 * DAY_MS,
};
