import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Shutdown } from '../../src/bootstrap/shutdown.js';
import { running } from '../support/running.js';
import { lineOf, markdownOf } from './report.js';
import { REVOCATIONS, runRevocations } from './revocation-scenario.js';
import { runScenario, violationCount, type ScenarioReport } from './run-scenario.js';
import { SCENARIOS } from './scenarios.js';

const USAGE = `Usage: npm run chaos -- [options]

  --list           shows the scenarios
  --only a,b       runs these and no others
  --seed N         makes the same choices as an earlier run
  --workers N      how many clients work at the same time (default 8)
  --revocations N  how many tokens are revoked in the scenario "revocations" (default 500)

The table is printed, and written to .data/chaos/ as Markdown and JSON, with every operation of every scenario beside it. The exit code is 0 when every promise was kept.
`;
const RESULTS = '.data/chaos';

const { values } = parseArgs({
  options: {
    list: { type: 'boolean', default: false },
    only: { type: 'string' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    workers: { type: 'string', default: '8' },
    revocations: { type: 'string', default: '500' },
    help: { type: 'boolean', default: false },
  },
});

interface Entry {
  readonly name: string;
  readonly about: string;
  readonly run: (seed: number, workers: number) => Promise<ScenarioReport>;
}

const entries: readonly Entry[] = [
  ...SCENARIOS.map((scenario) => ({
    name: scenario.name,
    about: scenario.about,
    run: async (seed: number, workers: number) => runScenario(scenario, { seed, workers }),
  })),
  {
    ...REVOCATIONS,
    run: async (seed, workers) =>
      runRevocations(whole('revocations', values.revocations), seed, workers),
  },
];

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(USAGE);
  } else if (values.list) {
    entries.forEach(({ name, about }) => process.stdout.write(`${name.padEnd(26)}${about}\n`));
  } else {
    await runAll(chosen(), whole('seed', values.seed), whole('workers', values.workers));
  }
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new Error(`--${name} must be a whole number, at least 1.`);
  }
  return number;
}

function chosen(): readonly Entry[] {
  const names = values.only?.split(',');
  const unknown = names?.filter((name) => !entries.some((entry) => entry.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`There is no scenario ${unknown.join(', ')}. See --list.`);
  }
  return entries.filter(({ name }) => names?.includes(name) ?? true);
}

async function runAll(chosenOnes: readonly Entry[], seed: number, workers: number): Promise<void> {
  new Shutdown().add(() => Promise.all([...running].map((stop) => stop())));
  process.stdout.write(`Seed ${seed}, three instances, ${workers} clients.\n`);
  const reports: ScenarioReport[] = [];
  for (const entry of chosenOnes) {
    process.stdout.write(`${entry.name} …\n`);
    const report = await entry
      .run(seed, workers)
      .catch((error: Error) => notStarted(entry, seed, error));
    reports.push(report);
    process.stdout.write(lineOf(report));
    writeHistory(report);
    write(reports, seed);
  }
  process.stdout.write(`\n${markdownOf(reports)}\n`);
  process.exitCode = reports.some((report) => violationCount(report) > 0) ? 1 : 0;
}

/** No reason to leave the others out. */
function notStarted({ name, about }: Entry, seed: number, { message }: Error): ScenarioReport {
  const nothing = {
    operations: 0,
    done: {},
    errors: {},
    longestAnswerMs: 0,
    recoveryMs: undefined,
  };
  const violations = { lost: [], accepted: [], dishonest: [], late: [], crashed: [message] };
  return { scenario: name, about, seed, ...nothing, ...violations };
}

/** After each scenario, so that an interrupted run leaves what it has found. */
function write(reports: readonly ScenarioReport[], seed: number): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}/${seed}.md`, `${markdownOf(reports)}\n`);
  const withoutHistory = reports.map((report) => ({ ...report, history: undefined }));
  writeFileSync(`${RESULTS}/${seed}.json`, `${JSON.stringify(withoutHistory, null, 2)}\n`);
}

/** Every operation on a line of its own. */
function writeHistory({ scenario, seed, history }: ScenarioReport): void {
  if (history) {
    const { faults, disturbances, operations } = history;
    const lines = [...faults, ...disturbances, ...operations].map((one) => JSON.stringify(one));
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(`${RESULTS}/${seed}-${scenario}.jsonl`, `${lines.join('\n')}\n`);
  }
}

await main();
