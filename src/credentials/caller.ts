import { networkOf } from '../common/network/index.js';
import type { Origin } from '../common/origin/index.js';
import type { Proof } from '../rate-limit/index.js';
import type { UserRecord } from '../user-slot/read/index.js';

/** Who presents a credential. Decides the turn in the hashing queue and the count for a wrong guess. */
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

/** The caller of a request about the own user. An authenticated session is its proof. */
export function ownerOf(origin: Origin, user: UserRecord): Caller {
  const stranger = strangerOf(origin);
  const { actorSessionId: id } = origin.facts;
  return id === undefined
    ? stranger
    : { ...stranger, proof: { kind: 'session', id, generation: proofGeneration(user) } };
}

/**
 * The generation of an account's proofs (devices, sessions). A proof of another generation is worthless. For one user name the
 * number only grows: with each new password, and when another account, which is registered later, gets the name.
 */
export function proofGeneration({
  createdAt,
  passwordVersion,
}: Pick<UserRecord, 'createdAt' | 'passwordVersion'>): number {
  return createdAt.getTime() + passwordVersion;
}
