import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const model = 'near-cache.pml';

/** Each with the macro that breaks it in the model. */
const rules: [rule: string, macro: string][] = [
  ['the change waits for those who were told', 'NO_ACK'],
  ['memory is trusted for a time only', 'NO_LEASE'],
  ['a load is answered by a master that still leads', 'NO_FENCE'],
  ['a load under way is detached by a change', 'STORE_LATE'],
  ['nobody joins a load while memory is not trusted', 'SHARED_WHILE_UNTRUSTED'],
  ['a join counts once the replica has it', 'JOIN_NOT_DURABLE'],
  ['what has changed is applied before the lease is extended', 'EXTEND_BEFORE_APPLY'],
  ['a lease runs from before its renewal was sent', 'LEASE_FROM_REPLY'],
  ['a renewal notes only what was applied', 'NOTE_BEFORE_APPLY'],
  ['a gap notes nothing as applied', 'GAP_NOTED_AS_APPLIED'],
  ['a late copy of a join tells nothing new', 'LATE_COPY_COUNTS'],
  ['a member that has renewed is not removed', 'REMOVED_THOUGH_RENEWED'],
  ['a change is applied before it is acknowledged', 'ACK_BEFORE_APPLY'],
  ['a change is written before it is announced', 'ANNOUNCE_BEFORE_WRITE'],
];

/** Without the other instance, or without the change, there are fewer than 20,000. */
const MIN_STATES = 1_000_000;

describe('the model of the near cache', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'near-cache-model-'));
    await copyFile(new URL(model, import.meta.url), join(directory, model));
  });
  afterEach(async () => rm(directory, { recursive: true }));

  /** @returns what the verifier of the model says; it stops at the first error */
  const search = async (optimisation: '-O0' | '-O2', ...options: string[]): Promise<string> => {
    await run('spin', [...options, '-a', model], { cwd: directory });
    await run('gcc', [optimisation, '-DSAFETY', '-o', 'pan', 'pan.c'], { cwd: directory });
    // The longest path, and the size of the hash table at first, as a power of two.
    const { stdout } = await run('./pan', ['-m100000', '-w22'], { cwd: directory });
    return stdout;
  };

  it('never answers from before a change that has returned, and every change returns', async () => {
    const report = await search('-O2');

    expect(report).toMatch(/errors: 0$/m);
    expect(report).toMatch(/^Full statespace search/m);
    expect(report).toMatch(/assertion violations\s+\+$/m);
    expect(report).toMatch(/invalid end states\s+\+$/m);
    expect(report).not.toMatch(/max search depth too small|out of memory|not completed/i);
    expect(Number(/(\S+) states, stored/.exec(report)?.[1])).toBeGreaterThan(MIN_STATES);
  }, 240_000);

  it('takes every step of an instance, and comes by what the protocol is for', async () => {
    // In a d_step, what was not reached is not listed.
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
