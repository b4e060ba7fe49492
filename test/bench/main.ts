import { Shutdown } from '../../src/bootstrap/shutdown.js';
import { writeDocs } from './docs.js';
import { OptionError, parseOptions, USAGE, type Options } from './options.js';
import { newReport, writeReport } from './report.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import { tableOf } from './table.js';

const shutdown = new Shutdown(130);

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  switch (options.mode) {
    case 'help':
      return tell(USAGE);
    case 'list':
      return SCENARIOS.forEach(({ name, about }) => tell(`${name.padEnd(16)}${about}\n`));
    case 'docs':
      return writeDocs(options.output);
    case 'run':
      return runAll(chosen(options.only), options);
  }
}

function chosen(only: Options['only']): readonly Scenario[] {
  const unknown = only?.filter((name) => !SCENARIOS.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new OptionError(`There is no scenario ${unknown.join(', ')}. See --list.`);
  }
  return SCENARIOS.filter(({ name }) => only?.includes(name) ?? true);
}

async function runAll(scenarios: readonly Scenario[], options: Options): Promise<void> {
  let report = newReport(options);
  let file = '';
  for (const scenario of scenarios) {
    const result = await runScenario(scenario, options, tell, shutdown);
    tell(`\n${tableOf(result)}\n\n`);
    report = { ...report, scenarios: [...report.scenarios, result] };
    file = writeReport(report, options.output);
  }
  tell(`Written to ${file}\n`);
}

function tell(text: string): void {
  process.stdout.write(text);
}

try {
  await main();
} catch (error) {
  if (!shutdown.isUnderWay) {
    const { message, stack } = error as Error;
    process.stderr.write(`${error instanceof OptionError ? message : stack}\n`);
    process.exitCode = 1;
  }
}
