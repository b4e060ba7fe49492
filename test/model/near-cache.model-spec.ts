import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODEL = fileURLToPath(new URL('./near-cache.pml', import.meta.url));
/** Deeper than any run of the model, so that none is cut off. */
const MOST_STEPS = 1_000_000;

/** The protocol, run through in every order that its steps can come in. */
describe('the model of the near cache', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'keyslot-model-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** @returns what the verifier says about the model, changed by these names */
  const verify = (...names: string[]): { errors: number; states: number; text: string } => {
    const run = (command: string, args: string[]): string =>
      execFileSync(command, args, { cwd: folder, encoding: 'utf8' });
    run('spin', ['-a', ...names.map((name) => `-D${name}`), MODEL]);
    run('cc', ['-O2', '-DSAFETY', '-DCOLLAPSE', '-o', 'verifier', 'pan.c']);
    const text = run(join(folder, 'verifier'), [`-m${MOST_STEPS}`, '-w24']);
    return {
      errors: Number(/errors: (\d+)/.exec(text)?.[1]),
      states: Number(/(\d+) states, stored/.exec(text)?.[1]),
      text,
    };
  };
  /** One instance is enough to show a breach. The search ends at the first. */
  const breachOf = (name: string): string => {
    const { errors, text } = verify('ONE_INSTANCE', name);
    expect(errors).toBe(1);
    return text;
  };

  it('never answers from before once a change has returned, in any order of events', () => {
    const { errors, states, text } = verify();

    expect(errors).toBe(0);
    expect(text).not.toContain('max search depth too small');
    expect(text).not.toContain('Search not completed');
    expect(states).toBeGreaterThan(1_000_000);
  }, 120_000);

  it.each([
    ['nobody waits for acknowledgements', 'NO_ACK'],
    ['trust does not end', 'NO_LEASE'],
    ['a load that was under way is stored', 'STORE_LATE'],
    ['a failover may lose a registration', 'JOIN_NOT_DURABLE'],
    ['a load is answered by a master that was replaced', 'NO_FENCE'],
    ['loads are shared while memory is not trusted', 'SHARED_WHILE_UNTRUSTED'],
    ['an instance that begins anew is noted before it knows', 'NOTED_BEFORE_FORGOTTEN'],
  ])('does when %s', (_, name) => {
    expect(breachOf(name)).toMatch(/assertion violated\s+!\(\((hasReturned|isLateWaiting\[i\])&&/);
  });

  it.each([
    ['a hit after the change has returned', 'REACH_A_LATE_HIT'],
    ['a wait to the end of a lease', 'REACH_A_WAIT_TO_THE_END'],
    ['a load that was detached', 'REACH_A_DETACHED_LOAD'],
    ['an acknowledgement by position', 'REACH_AN_ACKNOWLEDGEMENT_BY_POSITION'],
  ])('gets as far as %s, so that it proves something', (_, name) => {
    expect(breachOf(name)).toContain('assertion violated 0');
  });
});
