import { parseArgs } from 'node:util';

import type { Settings } from './scenario.js';

export const USAGE = `Usage: npm run bench -- [options]

  --list           shows the scenarios
  --only a,b       runs these and no others
  --rounds N       how often everything is measured (default 5)
  --seconds N      how long each measurement takes, at most 300 (default 10)
  --connections N  how many clients wait for an answer at the same time, at most 1000 (default 64)
  --output DIR     where the results are written (default bench/results)
  --docs           measures nothing: writes docs/benchmarks.md and its plots from the newest results in DIR
  --help           shows this

The tables are printed, and written to DIR as Markdown and JSON. All scenarios with the defaults take about an hour,
of which warm-read takes a quarter: it starts each server anew in each round. They should have the machine for themselves.
`;

/** Invalid options. The message names them. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

export interface Options extends Settings {
  readonly mode: 'run' | 'list' | 'docs' | 'help';
  readonly only: readonly string[] | undefined;
  /** A path of a folder. */
  readonly output: string;
}

/** @throws OptionError */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    mode: (['help', 'list', 'docs'] as const).find((mode) => values[mode]) ?? 'run',
    only: values.only?.split(','),
    output: values.output,
    rounds: whole('rounds', values.rounds, 1000),
    seconds: whole('seconds', values.seconds, 300),
    connections: whole('connections', values.connections, 1000),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        list: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '10' },
        connections: { type: 'string', default: '64' },
        output: { type: 'string', default: 'bench/results' },
        docs: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}

function whole(name: string, text: string, most: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1 || number > most) {
    throw new OptionError(`--${name} must be a whole number from 1 to ${most}.`);
  }
  return number;
}
