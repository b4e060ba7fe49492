import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { runScale, SCALE_DEFAULTS } from './run-scale.js';

const RESULTS = '.data/scale';

const { values } = parseArgs({
  options: { sessions: { type: 'string', default: String(SCALE_DEFAULTS.steps.at(-1)) } },
});
const most = Number(values.sessions);
const steps = SCALE_DEFAULTS.steps.filter((step) => step < most).concat(most);

// The nodes end with this process, but only when it ends in order.
process.once('SIGINT', () => process.exit(1));
process.once('SIGTERM', () => process.exit(1));

const report = await runScale({ steps, onProgress: (text) => process.stdout.write(`${text}\n`) });
mkdirSync(RESULTS, { recursive: true });
const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
writeFileSync(`${RESULTS}/report.json`, `${JSON.stringify({ machine, ...report }, null, 2)}\n`);
