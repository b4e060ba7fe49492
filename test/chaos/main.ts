import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';

import { Shutdown } from '../../src/bootstrap/shutdown.js';
import { running } from '../support/running.js';
import { optionsFrom, UsageError, type Options } from './options.js';
import { lineOf, markdownOf, verdictOf, type RunDetails } from './report.js';
import { REVOCATIONS, runRevocations } from './revocation-scenario.js';
import { runScenario, type ScenarioReport } from './run-scenario.js';
import { SCENARIOS } from './scenarios.js';

const USAGE = `Usage: npm run chaos -- [options]

  --list           shows the scenarios
  --only a,b       runs these and no others
  --seed N         makes the same choices as an earlier run
  --workers N      how many clients work at the same time (default 8)
  --revocations N  how many tokens are revoked in the scenario "revocations" (default 500)
  --lost-seconds N how long each node is away in the scenario "node-lost" (default 30)
  --help           shows this text

The table is printed, and written to .data/chaos/ as Markdown and JSON, with every operation of every scenario beside it.
The exit code is 0 when every promise was kept, 1 when one was broken, 2 when an option was not understood, and 3 when
something was not tried often enough to say.
`;
const RESULTS = '.data/chaos';
const EXIT_CODES = { kept: 0, BROKEN: 1, 'not tried enough': 3 };

interface Entry {
  readonly name: string;
  readonly about: string;
  readonly run: (options: Options) => Promise<ScenarioReport>;
}

const entries: readonly Entry[] = [
  ...SCENARIOS.map((scenario) => ({
    name: scenario.name,
    about: scenario.about,
    run: async (options: Options) => runScenario(scenario, options),
  })),
  {
    ...REVOCATIONS,
    run: async ({ revocations, seed, workers }) => runRevocations(revocations, seed, workers),
  },
];

async function main(args: readonly string[]): Promise<void> {
  const names = entries.map(({ name }) => name);
  const options = optionsFrom(args, names);
  if (options.help) {
    process.stdout.write(USAGE);
  } else if (options.list) {
    const lines = entries.map(({ name, about }) => `${name.padEnd(26)}${about}\n`);
    process.stdout.write(lines.join(''));
  } else {
    await runAll(options);
  }
}

async function runAll(options: Options): Promise<void> {
  new Shutdown(130).add(() => Promise.all([...running].map((stop) => stop())));
  const details = { ...options, startedAt: new Date(), redisVersion: redisVersion() };
  process.stdout.write(`Seed ${options.seed}, three instances, ${options.workers} clients.\n`);
  const reports: ScenarioReport[] = [];
  for (const entry of entries.filter(({ name }) => options.only.includes(name))) {
    process.stdout.write(`${entry.name} …\n`);
    const report = await entry
      .run(options)
      .catch((error: Error) => notStarted(entry, options.seed, error));
    reports.push(report);
    process.stdout.write(lineOf(report));
    writeHistory(report);
    write(reports, details);
  }
  process.stdout.write(`\n${markdownOf(reports, details)}\n`);
  process.exitCode = EXIT_CODES[verdictOf(reports)];
}

/** The report of a scenario that could not start. The others still run. */
function notStarted({ name, about }: Entry, seed: number, { message }: Error): ScenarioReport {
  const nothing = {
    operations: 0,
    done: {},
    errors: {},
    notes: [],
    untried: [],
    longestAnswerMs: 0,
    recoveryMs: undefined,
    longestRecoveryMs: undefined,
    delayMs: 0,
    tookMs: 0,
  };
  const violations = {
    lost: [],
    lostWithOneCopy: [],
    accepted: [],
    dishonest: [],
    late: [],
    unavailable: [],
    slow: [],
    crashed: [message],
  };
  return { scenario: name, about, seed, ...nothing, ...violations };
}

function redisVersion(): string {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown';
}

/** Called after each scenario, so that an interrupted run keeps its results. */
function write(reports: readonly ScenarioReport[], details: RunDetails): void {
  const { seed, workers, startedAt } = details;
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}/${seed}.md`, `${markdownOf(reports, details)}\n`);
  const withoutHistory = reports.map((report) => ({ ...report, history: undefined }));
  const result = {
    verdict: verdictOf(reports),
    startedAt,
    seed,
    workers,
    redis: details.redisVersion,
    node: process.versions.node,
    scenarios: withoutHistory,
  };
  writeFileSync(`${RESULTS}/${seed}.json`, `${JSON.stringify(result, null, 2)}\n`);
}

/** Writes one operation per line. */
function writeHistory({ scenario, seed, history }: ScenarioReport): void {
  if (history) {
    const { faults, disturbances, operations } = history;
    const lines = [...faults, ...disturbances, ...operations].map((one) => JSON.stringify(one));
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(`${RESULTS}/${seed}-${scenario}.jsonl`, `${lines.join('\n')}\n`);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) {
    throw error;
  }
  process.stderr.write(`${error.message} See --help.\n`);
  process.exitCode = 2;
}
