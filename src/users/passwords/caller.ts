import { networkOf } from '../../common/network/index.js';
import type { Origin } from '../../common/origin/index.js';
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

/** Who asks in a request: a session that a token has proved is known, everybody else is a stranger. */
export function callerOf({ facts: { ip = '', actorSessionId } }: Origin): Caller {
  const network = networkOf(ip);
  return actorSessionId === undefined
    ? { network }
    : { network, proof: { kind: 'session', id: actorSessionId } };
}
