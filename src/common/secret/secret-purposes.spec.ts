import { Secret } from './secret.js';
import { SECRET_PURPOSES } from './secret-purposes.js';
import { deriveKey, seal, unseal } from './sealed-text.js';

const secret = new Secret('a secret of at least 32 characters');

/** Computed with `hkdfSync('sha256', secret, '', text, 32)` of Node, not with our own code. */
const DERIVED = {
  signingKeys: 'R1eIV37E-NVwOsTJRFEYCspF_aPyYgJnKmLS69UF8Wo',
  refreshTokens: '8P6_zpMkVUDmWM1frNobvHfuGFlut82oZKJxsHUG2aQ',
  refreshAnswers: 'vv8Nozh45z5alIuteoy-FJndfT-r1h6EuS3tVbEPMS0',
  deviceCookies: '-VSwQwvMqPOy-FAEFCBRP3VO4DOtNv8O-YdRxP2a2a0',
  loginChallenges: '39KKzhyoIAg4UycbWEq_WGP1gbAQ4n7e8VF9ccFPT_s',
  passkeyChallenges: 'OIsVYq6owtc1e_E5tRi8nlC_crDSbzH4fS6Vt8my8xQ',
  factors: '11mfRoFgu0WRuflnY09_jYBQonMiMA0IOH-doAFmhUs',
  auditPseudonyms: 'Z_XvbuOZTG3BehOp-Lx4FW9oAK7TnGMeskkO3y17Qxg',
} satisfies Record<keyof typeof SECRET_PURPOSES, string>;

describe('the keys derived from one secret', () => {
  it('never change between versions, so that stored data stays readable', () => {
    const derived = Object.entries(SECRET_PURPOSES).map(([name, purpose]) => [
      name,
      Buffer.from(deriveKey(secret, purpose)).toString('base64url'),
    ]);

    expect(Object.fromEntries(derived)).toEqual(DERIVED);
  });

  it('differ for each purpose', () => {
    expect(new Set(Object.values(DERIVED)).size).toBe(Object.keys(SECRET_PURPOSES).length);
  });

  it('decrypt only what was encrypted for the same purpose', async () => {
    const sealed = await seal('text', secret, SECRET_PURPOSES.signingKeys);

    await expect(unseal(sealed, secret, SECRET_PURPOSES.signingKeys)).resolves.toBe('text');
    await expect(unseal(sealed, secret, SECRET_PURPOSES.refreshTokens)).rejects.toThrow();
  });
});
