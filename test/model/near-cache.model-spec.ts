import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const model = 'near-cache.pml';

/** The rules, each with the macro that breaks it in the model. */
const rules: [rule: string, macro: string][] = [
  ['a change waits for the members that were notified', 'NO_ACK'],
  ['the cache is trusted only during the lease', 'NO_LEASE'],
  ['a load is answered by the current master', 'NO_FENCE'],
  ['a change detaches a pending load', 'STORE_LATE'],
  ['no caller shares a load while the cache is not trusted', 'SHARED_WHILE_UNTRUSTED'],
  ['a join counts only after a replica has it', 'JOIN_NOT_DURABLE'],
  ['changes are applied before the lease is extended', 'EXTEND_BEFORE_APPLY'],
  ['a lease starts before its renewal is sent', 'LEASE_FROM_REPLY'],
  ['a renewal reports only applied changes', 'NOTE_BEFORE_APPLY'],
  ['a gap is not reported as applied', 'GAP_NOTED_AS_APPLIED'],
  ['a late duplicate of a join has no effect', 'LATE_COPY_COUNTS'],
  ['a member that has renewed is not removed', 'REMOVED_THOUGH_RENEWED'],
  ['a change is applied before it is acknowledged', 'ACK_BEFORE_APPLY'],
  ['a change is written before it is announced', 'ANNOUNCE_BEFORE_WRITE'],
];

/** Without the other instance or without the change, there are fewer than 20,000. */
const MIN_STATES = 1_000_000;

describe('the model of the near cache', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'near-cache-model-'));
    await copyFile(new URL(model, import.meta.url), join(directory, model));
  });
  afterEach(async () => rm(directory, { recursive: true }));

  /** @returns the output of the verifier, which stops at the first error */
  const search = async (optimisation: '-O0' | '-O2', ...options: string[]): Promise<string> => {
    await run('spin', [...options, '-a', model], { cwd: directory });
    await run('gcc', [optimisation, '-DSAFETY', '-o', 'pan', 'pan.c'], { cwd: directory });
    // The maximum depth, and the initial size of the hash table as a power of two.
    const { stdout } = await run('./pan', ['-m100000', '-w22'], { cwd: directory });
    return stdout;
  };

  it('never answers with the state before a change that has returned, and every change returns', async () => {
    const report = await search('-O2');

    expect(report).toMatch(/errors: 0$/m);
    expect(report).toMatch(/^Full statespace search/m);
    expect(report).toMatch(/assertion violations\s+\+$/m);
    expect(report).toMatch(/invalid end states\s+\+$/m);
    expect(report).not.toMatch(/max search depth too small|out of memory|not completed/i);
    expect(Number(/(\S+) states, stored/.exec(report)?.[1])).toBeGreaterThan(MIN_STATES);
  }, 240_000);

  it('reaches every step of an instance, and the cases that the protocol handles', async () => {
    // Unreached steps inside a d_step are not reported.
    const options = ['-DALONE', '-DWITNESS', '-Dd_step=atomic', '-o3'];
    const report = await search('-O0', ...options);

    expect(report).toMatch(/errors: 0$/m);
    expect(unreached(report, 'Member')).toEqual([]);
    expect(unreached(report, 'Witness')).toEqual(['-end-']);
  });

  it.each(rules)('needs the rule that %s', async (_, macro) => {
    const report = await search('-O0', '-DALONE', `-D${macro}`);

    expect(report).toMatch(/assertion violated/);
  });

  it('needs the rule that a change does not wait for longer than a lease', async () => {
    const report = await search('-O0', '-DALONE', '-DONLY_ACKS');

    expect(report).toMatch(/invalid end state \(/);
  });
});

function unreached(report: string, process: string): string[] {
  const list = report.split(`unreached in proctype ${process}\n`)[1]!.split('unreached in')[0]!;
  return [...list.matchAll(/state \d+, "(.*)"$/gm)].map(([, statement]) => statement!);
}
