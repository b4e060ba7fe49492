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

/**
 * The password, or the proof of a factor, that a request contains.
 *
 * @throws Problem `invalid-request` unless the request contains exactly one
 */
export function passwordOrProof({
  password,
  ...body
}: ReauthenticationRequestBody): Secret | PresentedProof {
  const passwords = password === undefined ? [] : [new Secret(password)];
  return only('password', [...passwords, ...proofsIn(body)]);
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
