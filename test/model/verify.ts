import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @param macros are defined for the model */
export const define = (...macros: readonly string[]): string[] =>
  macros.map((macro) => `-D${macro}`);

/**
 * Searches a model for a state that must not occur.
 *
 * @param model the file, which may include none
 * @param options of spin
 * @returns the report of the verifier, which stops at the first error
 */
export async function verify(model: URL, ...options: readonly string[]): Promise<string> {
  // To optimise takes longer than it saves if the search soon finds an error.
  return search(model, '-O0', options);
}

/** The same for a search that is expected to find no error, and so is complete. */
export async function verifyAll(model: URL, ...options: readonly string[]): Promise<string> {
  return search(model, '-O1', options);
}

async function search(
  model: URL,
  optimisation: '-O0' | '-O1',
  options: readonly string[],
): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'model-'));
  try {
    const file = basename(model.pathname);
    await copyFile(model, join(cwd, file));
    await run('spin', [...options, '-a', file], { cwd });
    await run('gcc', [optimisation, '-DSAFETY', '-o', 'pan', 'pan.c'], { cwd });
    // The maximum depth, and the initial size of the hash table as a power of two.
    const { stdout } = await run('./pan', ['-m100000', '-w20'], { cwd });
    return stdout;
  } finally {
    await rm(cwd, { recursive: true });
  }
}

/** Asserts that a search was complete, found no error, and stored more than some number of states. */
export function expectNoError(report: string, states: number): void {
  expect(report).toMatch(/errors: 0$/m);
  expect(report).toMatch(/^Full statespace search/m);
  expect(report).toMatch(/assertion violations\s+\+$/m);
  expect(report).toMatch(/invalid end states\s+\+$/m);
  expect(report).not.toMatch(/max search depth too small|out of memory|not completed/i);
  expect(Number(/(\S+) states, stored/.exec(report)?.[1])).toBeGreaterThan(states);
}

/** @returns the statements of a process that no path reached */
export function unreached(report: string, process: string): string[] {
  const list = report.split(`unreached in proctype ${process}\n`)[1]!.split('unreached in')[0]!;
  return [...list.matchAll(/state \d+, "(.*)"$/gm)].map(([, statement]) => statement!);
}
