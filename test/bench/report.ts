import { mkdirSync, writeFileSync } from 'node:fs';

import {
  describeCommit,
  describeMachine,
  describeVersions,
  type Machine,
  type Versions,
} from './machine.js';
import type { ScenarioResult } from './results.js';
import type { Settings } from './scenario.js';
import { tableOf } from './table.js';

/** The contents of a file of results. */
export interface Report {
  readonly startedAt: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly versions: Versions;
  readonly settings: Settings;
  readonly scenarios: readonly ScenarioResult[];
}

export function newReport({ rounds, seconds, connections }: Settings): Report {
  return {
    startedAt: new Date().toISOString(),
    commit: describeCommit(),
    machine: describeMachine(),
    versions: describeVersions(),
    settings: { rounds, seconds, connections },
    scenarios: [],
  };
}

/** Called after each scenario, so that an interrupted run keeps its results. @returns the path of the Markdown file */
export function writeReport(report: Report, directory: string): string {
  mkdirSync(directory, { recursive: true });
  const name = `${directory}/${report.startedAt.slice(0, 19).replaceAll(':', '-')}`;
  writeFileSync(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${name}.md`, `# Benchmarks\n\n${markdownOf(report)}\n`);
  return `${name}.md`;
}

/** @param pictures text above the table of a scenario */
export function markdownOf(
  report: Report,
  pictures: (scenario: ScenarioResult) => string[] = () => [],
): string {
  const sections = report.scenarios.flatMap((scenario) => [
    `### ${scenario.name}`,
    scenario.about,
    ...pictures(scenario),
    tableOf(scenario),
  ]);
  return [environmentOf(report), ...sections].join('\n\n');
}

function environmentOf({ startedAt, commit, machine, versions, settings }: Report): string {
  const { node, redis, wrk, packages } = versions;
  const names = Object.entries(packages).map((entry) => entry.join(' '));
  const { cpu, cores, memoryGib, system } = machine;
  const { rounds, seconds, connections } = settings;
  return [
    `- Measured: ${startedAt.slice(0, 10)}, commit ${commit}`,
    `- Machine: ${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}; server, Redis and load share it`,
    `- Versions: Node ${node.slice(1)}, Redis ${redis}, wrk ${wrk}; ${names.join(', ')}`,
    `- Settings: ${rounds} rounds of ${seconds} s, ${connections} connections`,
  ].join('\n');
}
