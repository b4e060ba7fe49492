import { parseArgs } from 'node:util';

import { Shutdown } from '../../src/bootstrap/shutdown.js';
import { percentile } from '../bench/statistics.js';
import type { HttpClient } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { startOwnCluster } from '../support/own-cluster.js';
import { running } from '../support/running.js';
import { areaUnderCurve } from './auc.js';

const USAGE = `Usage: npm run timing -- [--pairs N] [--runs N]

  --pairs N  failed logins with a known and with an unknown name in a run (default 2000)
  --runs N   how often that is measured (default 3)
  --help     shows this

Tells whether the time of a failed login betrays which names exist: an area under the curve of 0.5 does not, and 0.45 to 0.55
is what may be. Each figure needs a machine that does nothing else.
`;
/** Below the number of failures that block an account. */
const GUESSES_PER_NAME = 8;
const WRONG = 'not the password at all';

interface Options {
  readonly pairs: number;
  readonly runs: number;
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string', default: '2000' },
      runs: { type: 'string', default: '3' },
      help: { type: 'boolean', default: false },
    },
  });
  const [pairs, runs] = [Number(values.pairs), Number(values.runs)];
  const isRight = [pairs, runs].every((value) => Number.isSafeInteger(value) && value > 0);
  if (values.help || !isRight) {
    process.stdout.write(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return undefined;
  }
  return { pairs, runs };
}

/** A different address for each request, because failures of one address are limited. */
function addresses(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `10.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`;
  };
}

async function timeOf(api: HttpClient, username: string, address: string): Promise<number> {
  const begun = performance.now();
  const { status } = await api.request('POST', '/api/login', {
    body: { username, password: WRONG },
    headers: { 'x-forwarded-for': address },
  });
  const time = performance.now() - begun;
  if (status !== 401) {
    throw new Error(`a failed login was answered with ${status}`);
  }
  return time;
}

async function measure(api: HttpClient, run: number, pairs: number): Promise<void> {
  const names = Array.from({ length: Math.ceil(pairs / GUESSES_PER_NAME) }, (_, index) => ({
    known: `known-${run}-${index}`,
    unknown: `never-${run}-${index}`,
  }));
  for (const { known } of names) {
    const { status } = await api.register(known);
    if (status !== 201) {
      throw new Error(`a registration was answered with ${status}`);
    }
  }
  const address = addresses();
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const name = names[pair % names.length]!;
    // In alternating order, so that the order has no influence.
    const kinds =
      pair % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
    for (const kind of kinds) {
      times[kind].push(await timeOf(api, name[kind], address()));
    }
  }
  const [known, unknown] = [percentile(times.known, 50), percentile(times.unknown, 50)];
  process.stdout.write(
    `run ${run}: AUC ${areaUnderCurve(times.known, times.unknown).toFixed(3)}, median ${known.toFixed(2)} ms for known ` +
      `names, ${unknown.toFixed(2)} ms for unknown ones, ${pairs} pairs\n`,
  );
}

async function main({ pairs, runs }: Options): Promise<void> {
  new Shutdown(130).add(() => Promise.all([...running].map((stop) => stop())));
  const own = await startOwnCluster();
  const instance = await Instance.start({ ...own.variables, TRUSTED_PROXIES: '127.0.0.1' });
  try {
    for (let run = 1; run <= runs; run += 1) {
      await measure(instance, run, pairs);
    }
  } finally {
    await instance.stop();
    await own.remove();
  }
}

const options = readOptions();
if (options) {
  await main(options);
}
