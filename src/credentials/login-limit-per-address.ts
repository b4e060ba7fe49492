import { refusalsPerAddress } from '../rate-limit/index.js';

/**
 * Limits the failed logins from one address to all accounts together (OWASP ASVS 6.3.1). This stops an attacker who tries one
 * password on many accounts. `PasswordLogins` applies it. The limit is higher than the limit per account, because many people
 * may share an address. Logins from known devices do not count. A successful login does not reset the counter. Otherwise an
 * attacker could reset it by logging in to an account of their own between guesses.
 */
export const FAILURES_PER_ADDRESS = refusalsPerAddress('login-address');
