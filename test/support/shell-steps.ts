import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { codeBlocks } from './markdown.js';

const MARK = '--- end of step ---';
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** Text that differs between runs. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  // Documents truncate tokens.
  [/\beyJ[\w-]{10,}(?:(?:\.[\w-]+){2}|…)/g, '<access token>'],
  [new RegExp(`${UUID}\\.(?:${UUID}\\.[\\w-]{43}\\.[\\w-]{22}|…)`, 'g'), '<refresh token>'],
  [new RegExp(`${UUID}\\.[\\w-]{32}\\.[\\w-]{22}`, 'g'), '<challenge>'],
  [new RegExp(UUID, 'g'), '<id>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>'],
  [/curl\/\d+(?:\.\d+)+/g, '<curl>'],
];

/** The output of a step without what differs between runs. */
export const formOf = (text: string): string =>
  CHANGING.reduce((form, [pattern, name]) => form.replace(pattern, name), text.trim());

/** Shell commands in a document. */
export interface Step {
  readonly commands: string;
  /** The output in the document, if it shows one. */
  readonly shown?: string;
}

export function stepsOf(section: string): Step[] {
  const blocks = codeBlocks(section);
  return blocks.flatMap(({ language, text }, index) => {
    const next = blocks[index + 1];
    const shown = next?.language === 'text' ? { shown: next.text } : {};
    return language === 'sh' ? [{ commands: text, ...shown }] : [];
  });
}

/** The variables of a person's shell that programs need. */
export function shellEnvironment(): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'] };
}

/** Runs block after block in one shell. @returns the output of each block */
export async function runBlocks(blocks: readonly string[], cwd: string): Promise<string[]> {
  const shell = spawn('sh', ['-eu'], { cwd, env: shellEnvironment() });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  shell.stdin.end(blocks.map((block) => `${block}\nprintf '%s' '${MARK}'\n`).join(''));
  const [status] = (await once(shell, 'close')) as [number];
  expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' });
  return output.split(MARK);
}
