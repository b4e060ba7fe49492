import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { runScale, SCALE_DEFAULTS, SCALE_PARTS, type ScalePart } from './run-scale.js';

const RESULTS = '.data/scale';

const DEFAULT_SESSIONS = SCALE_DEFAULTS.steps.at(-1)!;
const DEFAULT_MEMBERS = SCALE_DEFAULTS.members.at(-1)!;
const DEFAULT_USERS = SCALE_DEFAULTS.listed.at(-1)!;
const MAX_USERS = 10_000_000;
const MAX_SESSIONS = 10_000_000;
const MAX_MEMBERS = 1000;

const USAGE = `Usage: npm run scale -- [--sessions N] [--members N] [--users N] [--only PART]

  --sessions N  the most that are started (default ${DEFAULT_SESSIONS}, at most ${MAX_SESSIONS})
  --members N   the most instances among which logouts are measured (default ${DEFAULT_MEMBERS}, at most ${MAX_MEMBERS})
  --users N     the most users among whom pages of the directory are measured (default ${DEFAULT_USERS}, at most ${MAX_USERS})
  --only PART   measures only ${SCALE_PARTS.join(' or only ')} (default both)
  --help        shows this

Starts so many sessions and registers so many users through the product's own scripts, on clusters of its own, and measures on the
way. A million sessions take about twenty minutes. Prints what it finds, and writes it to ${RESULTS}/report.json.
`;

interface Most {
  readonly sessions: number;
  readonly members: number;
  readonly users: number;
  readonly parts: readonly ScalePart[];
}

/** @returns undefined if no measurement was requested */
function mostFromArguments(): Most | undefined {
  try {
    const { values } = parseArgs({
      options: {
        sessions: { type: 'string', default: String(DEFAULT_SESSIONS) },
        members: { type: 'string', default: String(DEFAULT_MEMBERS) },
        users: { type: 'string', default: String(DEFAULT_USERS) },
        only: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return undefined;
    }
    return {
      sessions: wholeNumber('--sessions', values.sessions, MAX_SESSIONS),
      members: wholeNumber('--members', values.members, MAX_MEMBERS),
      users: wholeNumber('--users', values.users, MAX_USERS),
      parts: values.only === undefined ? SCALE_PARTS : [partNamed(values.only)],
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
  }
  process.exitCode = 2;
  return undefined;
}

function partNamed(name: string): ScalePart {
  const part = SCALE_PARTS.find((known) => known === name);
  if (part === undefined) {
    throw new Error(`--only must be one of: ${SCALE_PARTS.join(', ')}.`);
  }
  return part;
}

function wholeNumber(name: string, text: string, most: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1 || number > most) {
    throw new Error(`${name} must be a whole number from 1 to ${most}.`);
  }
  return number;
}

const upTo = (most: number, steps: readonly number[]): number[] =>
  steps.filter((step) => step < most).concat(most);

async function main({ sessions, members, users, parts }: Most): Promise<void> {
  // The exit handlers stop the nodes; they do not run if a signal kills the process.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const report = await runScale({
    parts,
    listed: upTo(users, SCALE_DEFAULTS.listed),
    steps: upTo(sessions, SCALE_DEFAULTS.steps),
    members: upTo(members, SCALE_DEFAULTS.members),
    onProgress: (text) => process.stdout.write(`${text}\n`),
  });
  mkdirSync(RESULTS, { recursive: true });
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
  writeFileSync(`${RESULTS}/report.json`, `${JSON.stringify({ machine, ...report }, null, 2)}\n`);
}

const most = mostFromArguments();
if (most) {
  await main(most);
}
