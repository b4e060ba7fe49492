import { violationsIn, type ScenarioReport } from './run-scenario.js';

/** The parameters of a run. */
export interface RunDetails {
  readonly seed: number;
  readonly workers: number;
  readonly startedAt: Date;
  readonly redisVersion: string;
}

/** The result of one scenario, or the worst result of all. */
export type Verdict = 'kept' | 'not tried enough' | 'BROKEN';

/** Each column with its meaning; details are in docs/operations/fault-tests.md. */
const COLUMNS: readonly (readonly [name: string, means: string])[] = [
  ['scenario', 'what was broken; see below'],
  ['verdict', 'BROKEN, or every promise was kept; or something was not tried often enough to say'],
  ['operations', 'requests of the clients'],
  ['errors by kind', 'answers that were no success; 401 are tokens of ended sessions'],
  ['lost', 'acknowledged, and not there any more'],
  [
    'lost with one copy',
    'the same, after a second fault in a shard that had one copy left: it is allowed',
  ],
  ['wrongly accepted', 'let through after the end of the session had been answered'],
  ['dishonest', 'a wrong status, no answer, or an instance that failed'],
  ['late', 'past its deadline, by an instance that was running'],
  ['unavailable', 'turned away while nothing was broken, or more often than is documented'],
  ['slow', 'faults that took longer to recover from than is documented'],
  ['longest answer', 'of an instance that was running'],
  ['time to recover', 'the longest until no client was turned away any more, and what is allowed'],
  [
    'own delay',
    'how late the suite itself was at most: this machine was so busy, and so much is added to each limit of time',
  ],
  ['took', 'the scenario from its start to its end'],
];

/** One line for the terminal. */
export function lineOf(report: ScenarioReport): string {
  const [scenario, verdict, ...rest] = cellsOf(report);
  return `${verdict}  ${[scenario, ...rest].join(' | ')}\n`;
}

export function verdictOf(reports: readonly ScenarioReport[]): Verdict {
  if (reports.some((report) => violationsIn(report).length > 0)) {
    return 'BROKEN';
  }
  return reports.some(({ untried }) => untried.length > 0) ? 'not tried enough' : 'kept';
}

/** The table, the meaning of its columns, and the violations. */
export function markdownOf(reports: readonly ScenarioReport[], details: RunDetails): string {
  const { seed, workers, startedAt, redisVersion } = details;
  const names = COLUMNS.map(([name]) => name);
  const table = [names, names.map(() => '---'), ...reports.map(cellsOf)];
  return [
    `# What was kept while things broke: ${verdictOf(reports)}`,
    '',
    `${startedAt.toISOString()}, seed ${seed}, ${workers} clients, three instances on a Redis Cluster of six nodes, if nothing else is stated; ` +
      `Node ${process.versions.node}, Redis ${redisVersion}`,
    '',
    ...table.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...reports.map(({ scenario, about, notes }) =>
      [`- \`${scenario}\`: ${about}`, ...notes].join('. '),
    ),
    '',
    ...COLUMNS.map(([name, means]) => `- ${name}: ${means}`),
    '',
    ...reports.flatMap(findingsOf),
  ].join('\n');
}

function cellsOf(report: ScenarioReport): string[] {
  const errors = Object.entries(report.errors).map(([error, count]) => `${error.trim()} ${count}`);
  const { recoveryMs, longestRecoveryMs = 0 } = report;
  return [
    report.scenario,
    verdictOf([report]),
    String(report.operations),
    errors.join(', ') || 'none',
    String(report.lost.length),
    String(report.lostWithOneCopy.length),
    String(report.accepted.length),
    String(report.dishonest.length + report.crashed.length),
    String(report.late.length),
    String(report.unavailable.length),
    String(report.slow.length),
    seconds(report.longestAnswerMs),
    recoveryMs === undefined ? '-' : `${seconds(recoveryMs)} of ${seconds(longestRecoveryMs)}`,
    seconds(report.delayMs),
    seconds(report.tookMs),
  ];
}

function findingsOf(report: ScenarioReport): string[] {
  const findings = new Map<string, string[]>();
  for (const [kind, what] of violationsIn(report)) {
    findings.set(kind, [...(findings.get(kind) ?? []), what]);
  }
  if (report.untried.length > 0) {
    findings.set('not tried enough', [...report.untried]);
  }
  return [...findings].flatMap(([kind, list]) => [
    `## ${report.scenario}: ${kind}`,
    '',
    ...list.map((text) => `- ${text}`),
    '',
  ]);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
