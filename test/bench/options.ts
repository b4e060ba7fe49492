import { parseArgs } from 'node:util';

import type { Settings } from './scenario.js';

export const USAGE = `Usage: npm run bench -- [options]

  --list           shows the scenarios
  --only a,b       runs these and no others
  --rounds N       how often everything is measured (default 5)
  --seconds N      how long each measurement takes, at most 300 (default 10)
  --connections N  how many clients wait for an answer at the same time, at most 1000 (default 64)
  --help           shows this

The tables are printed, and written to bench/results/ as Markdown and JSON.
`;

/** Options that make no sense. The message says which. */
export class OptionError extends Error {}

export interface Options extends Settings {
  readonly mode: 'run' | 'list' | 'help';
  readonly only: readonly string[] | undefined;
}

/** @throws OptionError */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    mode: values.help ? 'help' : values.list ? 'list' : 'run',
    only: values.only?.split(','),
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
