import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { FAULTS } from './faults.js';
import { RevocationRun } from './revocations.js';
import { summaryOf } from './summary.js';

const USAGE = `Usage: npm run chaos -- [options]

  --revocations N  how many tokens are revoked while things break (default 10000)
  --seed N         repeats the choice of faults of an earlier run
  --workers N      how many clients work at the same time (default 8)
  --calm           breaks nothing: how long does a revocation take?
`;
const PROGRESS_EVERY = 500;

const { values } = parseArgs({
  options: {
    revocations: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    workers: { type: 'string', default: '8' },
    calm: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const [count, seed, workers] = [values.revocations, values.seed, values.workers].map(Number);
  if (values.help || !count || seed === undefined || !workers) {
    process.stdout.write(USAGE);
    return;
  }
  const tenth = Math.floor(count / 10);
  const run = await RevocationRun.start({
    revocations: { logout: count - 2 * tenth, 'role change': tenth, 'disabled user': tenth },
    faults: values.calm ? [] : FAULTS,
    seed,
    workers,
    onProgress: (done) => {
      if (done % PROGRESS_EVERY === 0) {
        process.stdout.write(`${done} of ${count} revoked\n`);
      }
    },
  });
  try {
    process.stdout.write(`Seed ${seed}, three instances, ${workers} clients.\n`);
    const report = await run.finish();
    process.stdout.write(summaryOf(report));
    process.exitCode = report.accepted.length === 0 ? 0 : 1;
  } finally {
    await run.stop();
  }
}

await main();
