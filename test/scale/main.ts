import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { runScale, SCALE_DEFAULTS } from './run-scale.js';

const RESULTS = '.data/scale';

const USAGE = `Usage: npm run scale -- [--sessions N]

  --sessions N  the most that are started (default ${SCALE_DEFAULTS.steps.at(-1)}, at most 10000000)
  --help        shows this

Starts so many sessions through the product's own scripts, on a cluster of its own, and measures on the way. A million take
about a quarter of an hour. Prints what it finds, and writes it to ${RESULTS}/report.json.
`;
const MAX_SESSIONS = 10_000_000;

/** @returns undefined if no measurement was requested */
function sessionsFromArguments(): number | undefined {
  try {
    const { values } = parseArgs({
      options: {
        sessions: { type: 'string', default: String(SCALE_DEFAULTS.steps.at(-1)) },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return undefined;
    }
    const most = Number(values.sessions);
    if (Number.isSafeInteger(most) && most >= 1 && most <= MAX_SESSIONS) {
      return most;
    }
    process.stderr.write(`--sessions must be a whole number from 1 to ${MAX_SESSIONS}.\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
  }
  process.exitCode = 2;
  return undefined;
}

async function main(most: number): Promise<void> {
  // The exit handlers stop the nodes; they do not run if a signal kills the process.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const steps = SCALE_DEFAULTS.steps.filter((step) => step < most).concat(most);
  const report = await runScale({ steps, onProgress: (text) => process.stdout.write(`${text}\n`) });
  mkdirSync(RESULTS, { recursive: true });
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
  writeFileSync(`${RESULTS}/report.json`, `${JSON.stringify({ machine, ...report }, null, 2)}\n`);
}

const most = sessionsFromArguments();
if (most !== undefined) {
  await main(most);
}
