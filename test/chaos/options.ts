import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export interface Options {
  readonly help: boolean;
  readonly list: boolean;
  /** Names of scenarios. */
  readonly only: readonly string[];
  readonly seed: number;
  readonly workers: number;
  readonly revocations: number;
  readonly lostSeconds: number;
}

/** Invalid arguments, as a message of one line. */
export class UsageError extends Error {}

/**
 * @param names of all scenarios
 * @throws UsageError
 */
export function optionsFrom(args: readonly string[], names: readonly string[]): Options {
  const values = valuesOf(args);
  return {
    help: values.help,
    list: values.list,
    only: values.only === undefined ? names : chosen(values.only.split(','), names),
    seed: whole('seed', values.seed),
    workers: whole('workers', values.workers),
    revocations: whole('revocations', values.revocations),
    lostSeconds: whole('lost-seconds', values['lost-seconds']),
  };
}

function valuesOf(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        list: { type: 'boolean', default: false },
        only: { type: 'string' },
        seed: { type: 'string', default: String(randomInt(1, 2 ** 31)) },
        workers: { type: 'string', default: '8' },
        revocations: { type: 'string', default: '500' },
        'lost-seconds': { type: 'string', default: '30' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    // Removes the hint about words with a leading dash, which no option takes.
    throw new UsageError(`${(error as Error).message.replace(/\.(?:\s.*|$)|\n.*/s, '')}.`);
  }
}

/** In table order. */
function chosen(wanted: readonly string[], names: readonly string[]): readonly string[] {
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(
      `There is no scenario ${unknown.map((name) => `'${name}'`).join(', ')} (see --list).`,
    );
  }
  return names.filter((name) => wanted.includes(name));
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < 1) {
    throw new UsageError(`--${name} must be a whole number, at least 1.`);
  }
  return number;
}
