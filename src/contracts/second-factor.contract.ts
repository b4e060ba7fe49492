import assert from 'node:assert/strict';

import { FACTOR_TYPE_PATTERN, type ProofContext, type SecondFactor } from '../credentials/index.js';
import type { TestRunner } from './test-runner.js';

export interface GivenProof extends Partial<ProofContext> {
  readonly proof: unknown;
}

/** A second factor with an enrolment. */
export interface SecondFactorSubject {
  readonly factor: SecondFactor;
  /** The state of a new enrolment. */
  readonly state: string;
  /** What confirms the enrolment. Default: the first of `proofs`, which `check` accepts. */
  readonly confirmation?: GivenProof;
  /** Two or more right proofs, in the order in which they are used. */
  readonly proofs: readonly [GivenProof, GivenProof, ...GivenProof[]];
  /** Proofs of the right form that are wrong. */
  readonly wrong: readonly [GivenProof, ...GivenProof[]];
}

const MALFORMED: readonly unknown[] = [
  undefined,
  null,
  '',
  'no proof',
  '\u0000',
  'x'.repeat(10_000),
  0,
  Number.NaN,
  true,
  [],
  {},
  { id: 'x', response: null },
  { __proto__: null, length: -1 },
];

/** The tests that every `SecondFactor` must pass. Call it in the tests of yours: `secondFactorContract({ describe, it }, …)`. */
export function secondFactorContract(
  { describe, it }: TestRunner,
  create: () => SecondFactorSubject | Promise<SecondFactorSubject>,
): void {
  const check = async (
    { factor }: SecondFactorSubject,
    state: string,
    { proof, nowMs = Date.now(), challenge }: GivenProof,
  ): Promise<string | undefined> => factor.check(state, proof, { nowMs, challenge });
  /** @returns the subject, and the state of the confirmed factor */
  const confirmed = async (): Promise<[SecondFactorSubject, string]> => {
    const subject = await create();
    const { factor, state, confirmation } = subject;
    if (!confirmation) {
      return [subject, state];
    }
    const { proof, nowMs = Date.now(), challenge } = confirmation;
    const next = await (factor.confirm?.(state, proof, nowMs) ??
      factor.check(state, proof, { nowMs, challenge }));
    assert.ok(next !== undefined, 'the enrolment is not confirmed');
    return [subject, next];
  };

  describe('as a second factor', () => {
    it('has a type and methods for tokens', async () => {
      const { factor } = await create();

      assert.match(factor.type, FACTOR_TYPE_PATTERN);
      assert.ok(factor.methods.length > 0);
    });

    it('accepts each right proof once, in its order', async () => {
      const [subject, first] = await confirmed();
      let state = first;
      for (const given of subject.proofs) {
        const next = await check(subject, state, given);
        assert.ok(next !== undefined, 'it refuses a right proof');
        assert.equal(await check(subject, next, given), undefined, 'it accepts a proof again');
        state = next;
      }
      for (const given of subject.proofs) {
        assert.equal(await check(subject, state, given), undefined, 'it accepts a former proof');
      }
    });

    it('keeps nothing outside the state, because other instances check the next proof', async () => {
      const [subject, state] = await confirmed();
      const [given] = subject.proofs;

      assert.ok((await check(subject, state, given)) !== undefined);
      assert.ok((await check(subject, state, given)) !== undefined);
    });

    it('refuses wrong proofs, and does not throw for values of another form', async () => {
      const [subject, state] = await confirmed();
      const { nowMs, challenge } = subject.proofs[0];
      const malformed = MALFORMED.map((proof) => ({ proof, nowMs, challenge }) as GivenProof);

      for (const given of [...subject.wrong, ...malformed]) {
        assert.equal(await check(subject, state, given), undefined, 'it accepts a wrong proof');
      }
    });

    it('refuses an enrolment with a wrong first proof', async () => {
      const { factor, state, wrong } = await create();

      for (const proof of [...wrong.map((one) => one.proof), ...MALFORMED]) {
        const nowMs = wrong[0].nowMs ?? Date.now();
        const { challenge } = wrong[0];
        const next = await (factor.confirm?.(state, proof, nowMs) ??
          factor.check(state, proof, { nowMs, challenge }));
        assert.equal(next, undefined, 'it confirms with a wrong proof');
      }
    });
  });
}
