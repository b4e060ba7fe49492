import { networkOf } from '../common/network/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Proof } from '../rate-limit/index.js';
import type { UserRecord } from '../user-slot/read/index.js';

/**
 * The caller who presents a credential. It determines the position in the hashing queue, and which counter a wrong password
 * increases.
 */
export interface Caller {
  /** The network of the client's address, see `networkOf`. */
  readonly network: string;
  /** Default: none, so the caller counts as a stranger. */
  readonly proof?: Proof | undefined;
}

/** The application itself, for example when it creates the first administrator. */
export const INTERNAL_CALLER: Caller = { network: '' };

/** A caller without proof. */
export function strangerOf({ facts: { ip = '' } }: Origin): Caller {
  return { network: networkOf(ip) };
}

/** The caller of a request that concerns the caller's own user. If the request has a session, the session is the proof. */
export function ownerOf(origin: Origin, user: UserRecord): Caller {
  const stranger = strangerOf(origin);
  const { actorSessionId: id } = origin.facts;
  return id === undefined
    ? stranger
    : { ...stranger, proof: { kind: 'session', id, generation: proofGeneration(user) } };
}

/**
 * The version number of an account's proofs (device cookies and sessions). A proof is valid only if its number is equal to
 * the current one. For one user name the number only increases. It increases when the password changes. It also increases
 * when a new account gets the name of a deleted one.
 */
export function proofGeneration({
  createdAt,
  passwordVersion,
}: Pick<UserRecord, 'createdAt' | 'passwordVersion'>): number {
  return createdAt.getTime() + passwordVersion;
}
