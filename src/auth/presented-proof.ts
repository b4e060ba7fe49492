import { invalidRequest } from '../common/problem/index.js';
import { Secret } from '../common/secret/index.js';
import { PASSKEY, RECOVERY_CODE, type PresentedProof } from '../credentials/index.js';
import type { ReauthenticationRequestBody } from './dto/reauthentication.request.dto.js';
import type { ProofBody } from './dto/second-factor.request.dto.js';

/**
 * The proof of a factor that a request contains.
 *
 * @throws Problem `invalid-request` unless the request contains exactly one
 */
export function presentedProof(body: ProofBody): PresentedProof {
  return only('code', proofsIn(body));
}

/** A password, the proof of a factor, or both. */
export interface PresentedCredentials {
  readonly password?: Secret;
  readonly proof?: PresentedProof;
}

/**
 * The password and the proof of a factor that a request contains.
 *
 * @throws Problem `invalid-request` if the request contains neither, or several proofs
 */
export function presentedCredentials({
  password,
  ...body
}: ReauthenticationRequestBody): PresentedCredentials {
  const proofs = proofsIn(body);
  if (password === undefined) {
    return { proof: only('password', proofs) };
  }
  const given = { password: new Secret(password) };
  return proofs.length === 0 ? given : { ...given, proof: only('code', proofs) };
}

function proofsIn({ code, recoveryCode, passkey, factor, proof }: ProofBody): PresentedProof[] {
  return [
    { type: 'totp', proof: code },
    { type: RECOVERY_CODE, proof: recoveryCode },
    { type: PASSKEY, proof: passkey },
    ...(factor === undefined && proof === undefined ? [] : [addedProof(factor, proof)]),
  ].filter((one) => one.proof !== undefined);
}

function addedProof(type: string | undefined, proof: unknown): PresentedProof {
  if (type === undefined || proof === undefined) {
    throw invalidRequest({ [type === undefined ? 'factor' : 'proof']: { code: 'missing' } });
  }
  return { type, proof };
}

function only<One>(member: string, [first, ...others]: readonly One[]): One {
  if (first === undefined) {
    throw invalidRequest({ [member]: { code: 'missing' } });
  }
  if (others.length > 0) {
    throw invalidRequest({ [member]: { code: 'one-proof' } });
  }
  return first;
}
