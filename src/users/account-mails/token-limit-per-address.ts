import type { FailureLimit } from '../../rate-limit/index.js';

/** Limits the one-time tokens from one address that are refused. They cannot be guessed; this saves Redis the look-ups. */
export const REFUSED_TOKENS_PER_ADDRESS: FailureLimit = {
  name: 'one-time-token-address',
  failures: 100,
  siteFailures: 1000,
  windowMs: 15 * 60_000,
};
