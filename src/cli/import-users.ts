import type { INestApplicationContext } from '@nestjs/common';
import { closeSync, lstatSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';

import { parseNode } from '../common/network/index.js';
import { Origin } from '../common/origin/index.js';
import { loadOperatorSettings } from '../config/index.js';
import { RedisCluster } from '../redis-cluster/index.js';
import {
  IMPORT_FORMATS,
  formatOf,
  readJsonFile,
  readRedisJson,
  redisJsonFormat,
  REFUSALS,
  UserImport,
  type ImportCounts,
  type ImportFormat,
  type RefusedRecord,
  type SourceRecord,
} from '../users/index.js';
import { CommandError } from './cluster-nodes.js';
import type { ImportCommand } from './users-arguments.js';
import { withApplication } from './with-application.js';

const PROGRESS_INTERVAL_MS = 10_000;
/** Only the owner may read the names of users. */
const PRIVATE_MODE = 0o600;
/** Records that are read to find the format: the first ones may be of another kind. */
const MAX_HEAD = 1000;

interface Source {
  readonly format: ImportFormat;
  readonly records: AsyncIterable<SourceRecord>;
  close(): Promise<void>;
}

/** Imports users, and prints how many. Exit code 1 if it failed, or if some users were refused. */
export async function importUsers(command: ImportCommand): Promise<void> {
  await withApplication(async (application) => {
    const source = await open(command.source, application);
    const report = new RefusalReport(command);
    try {
      const counts = await application.get(UserImport).run(
        source.format,
        source.records,
        {
          isDryRun: command.isDryRun,
          onRefused: (record, refusal, username) => report.add(record, refusal, username),
          onProgress: progressPrinter(),
        },
        Origin.operator,
      );
      print(counts, report, command);
    } finally {
      report.close();
      await source.close();
    }
  }, 'Correct this if you can, and run the same command again. It imports no user twice.\n');
}

async function open(
  source: ImportCommand['source'],
  application: INestApplicationContext,
): Promise<Source> {
  if (source.kind === 'file') {
    const records = readJsonFile(source.path);
    const head = await headOf(records);
    return {
      format: formatNamed(source.format) ?? detected(head),
      records: chained(head, records),
      close: () => Promise.resolve(),
    };
  }
  const own = application.get(RedisCluster);
  if (source.nodes === undefined) {
    const { keyPrefix } = loadOperatorSettings().redis;
    const records = readRedisJson(own, source.pattern, keyPrefix);
    return { format: redisJsonFormat, records, close: () => Promise.resolve() };
  }
  const nodes = source.nodes.split(',').map((node) => parseNode(node.trim()));
  if (nodes.includes(undefined)) {
    throw new CommandError('--source-nodes must be a list of host:port, separated by commas.');
  }
  const settings = loadOperatorSettings();
  const { tls } = settings.redis;
  const redis = new RedisCluster({
    nodes: nodes.flatMap((node) => node ?? []),
    ...settings.source,
    ...(tls ? { tls } : {}),
  });
  return {
    format: redisJsonFormat,
    records: readRedisJson(redis, source.pattern, undefined),
    close: async () => redis.onApplicationShutdown(),
  };
}

async function headOf(records: AsyncGenerator<SourceRecord>): Promise<readonly SourceRecord[]> {
  const head: SourceRecord[] = [];
  while (head.length < MAX_HEAD) {
    const next = await records.next();
    if (next.done === true) {
      break;
    }
    head.push(next.value);
    if (formatOf(next.value)) {
      break;
    }
  }
  return head;
}

function formatNamed(name: string | undefined): ImportFormat | undefined {
  const format = IMPORT_FORMATS.find((one) => one.name === name);
  if (name !== undefined && !format) {
    const names = IMPORT_FORMATS.map((one) => one.name).join(', ');
    throw new CommandError(
      `There is no format ${JSON.stringify(name)}. The formats are: ${names}.`,
    );
  }
  return format;
}

function detected(head: readonly SourceRecord[]): ImportFormat {
  const format = head.map(formatOf).find((found) => found !== undefined);
  if (!format) {
    throw new CommandError(
      'The format of the file is not known. Is it right? Name it with --format.',
    );
  }
  return format;
}

async function* chained(
  head: readonly SourceRecord[],
  rest: AsyncGenerator<SourceRecord>,
): AsyncGenerator<SourceRecord> {
  yield* head;
  yield* rest;
}

/**
 * A file with one JSON object for each refused record. It contains user names, and no passwords and hashes. It replaces the report
 * of an earlier run when it is complete.
 */
class RefusalReport {
  /** Refused records by reason. */
  readonly counts = new Map<RefusedRecord['reason'], number>();
  readonly path: string;
  /** Refused records that are only counted. */
  unlisted = 0;
  private readonly source: ImportCommand['source'];
  private readonly partial: string;
  private readonly file: number;

  constructor({ report, source }: ImportCommand) {
    this.path = report;
    this.source = source;
    this.partial = `${report}.partial`;
    try {
      this.check();
      // Exclusive, so that no link is followed.
      rmSync(this.partial, { force: true });
      this.file = openSync(this.partial, 'wx', PRIVATE_MODE);
    } catch (error) {
      throw new CommandError(`The report cannot be written: ${(error as Error).message}.`);
    }
  }

  add({ position }: SourceRecord, { reason, detail }: RefusedRecord, username?: string): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    if (
      username === undefined &&
      this.source.kind === 'redis-json' &&
      !this.source.isPatternGiven
    ) {
      // The key of other software, whose name may be secret.
      this.unlisted += 1;
      return;
    }
    const text = detail === undefined ? REFUSALS[reason] : `${REFUSALS[reason]}: ${detail}`;
    writeSync(this.file, `${JSON.stringify({ ...position, username, reason, text })}\n`);
  }

  close(): void {
    closeSync(this.file);
    renameSync(this.partial, this.path);
  }

  private check(): void {
    const existing = lstatSync(this.path, { throwIfNoEntry: false });
    if (existing?.isFile() === false) {
      throw new Error(`${this.path} exists and is no regular file`);
    }
    const { source } = this;
    if (
      source.kind === 'file' &&
      [this.path, this.partial].some((path) => isSame(path, source.path))
    ) {
      throw new Error(`${source.path} is the file with the users`);
    }
  }
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

function progressPrinter(): (counts: ImportCounts) => void {
  let printedAt = performance.now();
  let printed = 0;
  return ({ imported, present, refused, ignored }) => {
    const now = performance.now();
    if (now - printedAt < PROGRESS_INTERVAL_MS) {
      return;
    }
    const done = imported + present + refused + ignored;
    const rate = Math.round((1000 * (done - printed)) / (now - printedAt));
    process.stderr.write(`${done} users, ${refused} refused, ${rate} a second …\n`);
    printedAt = now;
    printed = done;
  };
}

function print(
  { imported, present, disabled, notDisabled, refused, ignored }: ImportCounts,
  { counts, path, unlisted }: RefusalReport,
  { isDryRun }: ImportCommand,
): void {
  const lines = [
    `${isDryRun ? 'Would import' : 'Imported'} ${counted(imported, 'user')}.`,
    ...(present > 0 ? [`${present} users were already there, from an earlier import.`] : []),
    ...(disabled > 0 ? [`${isDryRun ? 'Would disable' : 'Disabled'} ${disabled} of them.`] : []),
    ...(notDisabled > 0
      ? [
          `${notDisabled} of them stays enabled, as the last administrator, although the record is disabled.`,
        ]
      : []),
    ...(ignored > 0
      ? [ignored === 1 ? '1 record is no user.' : `${ignored} records are no users.`]
      : []),
    ...(refused > 0
      ? [
          `Refused ${counted(refused, 'record')}. ${path} lists ${unlisted > 0 ? refused - unlisted : 'them'}:`,
        ]
      : []),
    ...Array.from(counts, ([reason, count]) => `  ${count} ${reason}: ${REFUSALS[reason]}`),
    ...(unlisted > 0
      ? [
          `The report does not name ${unlisted} keys that contain no such users. It does with --match.`,
        ]
      : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (refused > 0) {
    process.exitCode = 1;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
