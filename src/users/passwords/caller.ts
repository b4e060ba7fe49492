import type { Proof } from '../../rate-limit/index.js';

/** Who has a password hashed or checked: whose turn it is in the queue, and whose guess it is. */
export interface Caller {
  /** Where the request came from, see `networkOf`. */
  readonly network: string;
  /** Default: a stranger. */
  readonly proof?: Proof | undefined;
}

/** The application itself, such as when it makes the first administrator. */
export const INTERNAL_CALLER: Caller = { network: '' };
