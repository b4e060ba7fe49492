import { invalidRequest } from '../common/problem/index.js';
import { RECOVERY_CODES, type PresentedProof } from '../credentials/index.js';
import type { ProofBody } from './dto/second-factor.request.dto.js';

/**
 * The proof that a request contains.
 *
 * @throws Problem `invalid-request` unless the request contains exactly one
 */
export function presentedProof({ code, recoveryCode }: ProofBody): PresentedProof {
  const proofs = [
    { type: 'totp', proof: code },
    { type: RECOVERY_CODES, proof: recoveryCode },
  ].filter(({ proof }) => proof !== undefined);
  const [first, ...others] = proofs;
  if (!first) {
    throw invalidRequest({ code: { code: 'missing' } });
  }
  if (others.length > 0) {
    throw invalidRequest({ recoveryCode: { code: 'one-proof' } });
  }
  return first;
}
