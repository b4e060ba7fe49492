import { TotpFactor } from './totp.factor.js';

/** RFC 6238 appendix B: the secret `12345678901234567890`, SHA-1. The codes there have eight digits; these are the last six. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const VECTORS = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const;

describe('codes of an authenticator application', () => {
  const factor = new TotpFactor('Keyslot');
  const state = JSON.stringify({ secret: SECRET, lastStep: 0 });

  it.each(VECTORS)('are accepted at %d seconds as in RFC 6238: %s', async (seconds, code) => {
    expect(await factor.check(state, code, { nowMs: seconds * 1000 })).toBeDefined();
  });

  it.each(VECTORS)('count once: at %d seconds %s', async (seconds, code) => {
    const next = await factor.check(state, code, { nowMs: seconds * 1000 });

    expect(await factor.check(next!, code, { nowMs: seconds * 1000 })).toBeUndefined();
    expect(await factor.check(next!, code, { nowMs: (seconds + 30) * 1000 })).toBeUndefined();
  });

  it('are accepted one step early and one step late, and no more', async () => {
    const [seconds, code] = VECTORS[2];
    const accepted = await Promise.all(
      [-60, -30, 0, 30, 60].map(async (skew) =>
        factor.check(state, code, { nowMs: (seconds + skew) * 1000 }),
      ),
    );

    expect(accepted.map((next) => next !== undefined)).toEqual([false, true, true, true, false]);
  });

  it('of an earlier step are refused after a later one', async () => {
    const late = await factor.check(state, VECTORS[2][1], { nowMs: VECTORS[2][0] * 1000 });

    // One step before: 1111111109 is in the step that ends at 1111111110.
    expect(
      await factor.check(late!, VECTORS[1][1], { nowMs: VECTORS[2][0] * 1000 }),
    ).toBeUndefined();
  });

  it.each([
    undefined,
    null,
    287082,
    '28708',
    '2870822',
    ' 287082',
    '２８７０８２',
    { code: '287082' },
  ])('are six ASCII digits, and not %p', async (proof) => {
    expect(await factor.check(state, proof, { nowMs: 59_000 })).toBeUndefined();
  });

  it('have a secret of 160 bits of their own for each enrolment, and a URI that applications read', async () => {
    const [one, other] = await Promise.all([factor.enrol('ada'), factor.enrol('ada & co')]);

    expect(one.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(one.secret).not.toBe(other.secret);
    const uri = new URL(other.uri);
    expect(decodeURIComponent(uri.pathname)).toBe('/Keyslot:ada & co');
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      issuer: 'Keyslot',
      secret: other.secret,
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });
});
