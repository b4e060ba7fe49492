import type { FailureLimit, GuessLimit } from '../rate-limit/index.js';

/*
 * The two limits on failed logins (OWASP ASVS 6.3.1). `PasswordLogins` applies both limits to a login. `Credentials` applies
 * the first limit to every password check. Tables for operators: docs/operations/passwords-and-limits.md.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Wrong passwords for one account, from any address (NIST SP 800-63B-4 section 3.2.2). Every block ends by itself, so nobody
 * is locked out for good. Known devices and live sessions have their own counts: see `Proof`.
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

/**
 * Limits the failed logins from one address to all accounts together. This stops an attacker who tries one password on many
 * accounts. The limit is higher than the limit per account, because many people may share an address. Logins from known
 * devices do not count.
 */
export const FAILURES_PER_ADDRESS: FailureLimit = {
  name: 'login-address',
  failures: 100,
  siteFailures: 1000,
  windowMs: 15 * MINUTE_MS,
};
