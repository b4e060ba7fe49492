import { refusalsPerAddress } from '../../rate-limit/index.js';

/** Limits the one-time tokens from one address that are refused. They cannot be guessed; this saves Redis the look-ups. */
export const REFUSED_TOKENS_PER_ADDRESS = refusalsPerAddress('one-time-token-address');
