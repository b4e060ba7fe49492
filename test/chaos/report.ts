import { violationCount, type ScenarioReport } from './run-scenario.js';

const HEADER = [
  'scenario',
  'operations',
  'errors by kind',
  'lost',
  'wrongly accepted',
  'dishonest',
  'late',
  'longest answer',
  'time to recover',
];

/** One line for the screen. */
export function lineOf(report: ScenarioReport): string {
  const verdict = violationCount(report) === 0 ? 'kept' : 'BROKEN';
  return `${verdict}  ${cellsOf(report).join(' | ')}\n`;
}

/** The table, and below it what was broken. */
export function markdownOf(reports: readonly ScenarioReport[]): string {
  const rows = reports.map(cellsOf);
  const table = [HEADER, HEADER.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  const what = reports.map(({ scenario, about }) => `- \`${scenario}\`: ${about}`);
  return [
    `# What was kept while things broke (seed ${reports[0]?.seed ?? '-'})`,
    '',
    ...table,
    '',
    ...what,
    '',
    ...reports.flatMap(violationsOf),
  ].join('\n');
}

function cellsOf(report: ScenarioReport): string[] {
  const errors = Object.entries(report.errors).map(([error, count]) => `${error.trim()} ${count}`);
  return [
    report.scenario,
    String(report.operations),
    errors.join(', ') || 'none',
    String(report.lost.length),
    String(report.accepted.length),
    String(report.dishonest.length + report.crashed.length),
    String(report.late.length),
    seconds(report.longestAnswerMs),
    report.recoveryMs === undefined ? '-' : seconds(report.recoveryMs),
  ];
}

function violationsOf(report: ScenarioReport): string[] {
  const { lost, accepted, dishonest, late, crashed } = report;
  return Object.entries({ lost, accepted, dishonest, late, crashed }).flatMap(([name, list]) =>
    list.length === 0
      ? []
      : [`## ${report.scenario}: ${name}`, '', ...list.map((text) => `- ${text}`), ''],
  );
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
