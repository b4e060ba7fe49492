import { secondFactorContract } from '../../src/contracts/index.js';
import { RecoveryCodesFactor } from '../../src/credentials/factors/recovery-codes/recovery-codes.factor.js';
import { TotpFactor } from '../../src/credentials/factors/totp/totp.factor.js';
import { codesOf } from '../support/second-factors.js';

describe('TOTP', () => {
  secondFactorContract({ describe, it }, async () => {
    const factor = new TotpFactor('Keyslot');
    const { state, secret } = await factor.enrol('ada');
    const [now, next, later] = codesOf(secret);
    // One step before the last code, so that all three are within the skew.
    const nowMs = Date.now() + 30_000;
    const proofs = [now, next, later].map((proof) => ({ proof, nowMs }));
    return {
      factor,
      state,
      proofs: [proofs[0]!, proofs[1]!, proofs[2]!],
      wrong: [{ proof: now === '000000' ? '000001' : '000000', nowMs }],
    };
  });
});

describe('recovery codes', () => {
  secondFactorContract({ describe, it }, () => {
    const factor = new RecoveryCodesFactor();
    const { codes, state } = factor.create();
    const [first, second, ...others] = codes.map((proof) => ({ proof }));
    const wrong = [{ proof: '0000-0000-0000-0000' }] as const;
    return { factor, state, proofs: [first!, second!, ...others], wrong };
  });
});
