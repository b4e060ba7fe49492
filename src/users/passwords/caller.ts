import { networkOf } from '../../common/network/index.js';
import type { Origin } from '../../common/origin/index.js';
import type { Proof } from '../../rate-limit/index.js';
import type { UserRecord } from '../user.js';

/** Who has a password hashed or checked: whose turn it is in the queue, and whose guess it is. */
export interface Caller {
  /** Where the request came from, see `networkOf`. */
  readonly network: string;
  /** Default: a stranger. */
  readonly proof?: Proof | undefined;
}

/** The application itself, such as when it makes the first administrator. */
export const INTERNAL_CALLER: Caller = { network: '' };

/** A stranger, wherever the request came from. */
export function strangerOf({ facts: { ip = '' } }: Origin): Caller {
  return { network: networkOf(ip) };
}

/** Who asks in a request about the own user: a session that a token has proved is known. */
export function ownerOf(origin: Origin, user: UserRecord): Caller {
  const stranger = strangerOf(origin);
  const { actorSessionId: id } = origin.facts;
  return id === undefined
    ? stranger
    : { ...stranger, proof: { kind: 'session', id, generation: proofGeneration(user) } };
}

/**
 * Of the proofs of an account (devices, sessions): a proof of another generation proves nothing. For one user name it only
 * grows, with each new password, and when the name goes to another account, which is registered later than that.
 */
export function proofGeneration({
  createdAt,
  passwordVersion,
}: Pick<UserRecord, 'createdAt' | 'passwordVersion'>): number {
  return createdAt.getTime() + passwordVersion;
}
