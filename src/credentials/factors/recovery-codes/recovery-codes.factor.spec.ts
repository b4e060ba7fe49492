import { RecoveryCodesFactor } from './recovery-codes.factor.js';

describe('recovery codes', () => {
  const factor = new RecoveryCodesFactor();

  it('count once each', async () => {
    const { codes, state } = factor.create();
    let current = state;
    for (const [index, code] of codes.entries()) {
      const next = await factor.check(current, code);
      expect(next).toBeDefined();
      expect(await factor.check(next!, code)).toBeUndefined();
      expect(factor.left(next!)).toBe(9 - index);
      current = next!;
    }
  });

  it('are accepted however people write them', async () => {
    const { codes, state } = factor.create();
    const [code = ''] = codes;
    for (const written of [
      code.toUpperCase(),
      code.replaceAll('-', ''),
      code.replaceAll('-', ' '),
    ]) {
      expect(await factor.check(state, written)).toBeDefined();
    }
    expect(await factor.check(state, code.replaceAll('0', 'O').replaceAll('1', 'l'))).toBeDefined();
  });

  it('are stored as digests only', () => {
    const { codes, state } = factor.create();
    expect(
      codes.filter((code) => state.includes(code) || state.includes(code.replaceAll('-', ''))),
    ).toEqual([]);
  });

  it.each([undefined, null, '', 'x', 12, {}])('are not %p', async (proof) => {
    expect(await factor.check(factor.create().state, proof)).toBeUndefined();
  });
});
