import { CHANGE_BUCKETS_SECONDS } from './recent-changes.js';

/** What an instance or a service reports about itself, for operators. */
export interface InstanceReport {
  /** The audience of the service. Absent: an instance of Keyslot. */
  readonly service?: string;
  readonly version: string;
  readonly host: string;
  readonly processId: number;
  readonly startedAt: string;
  /** The id as a holder. It changes when the instance begins anew. */
  readonly inbox: string;
  readonly leaseMs: number;
  readonly isTrusted: boolean;
  /** Values in memory, and their estimated size. */
  readonly entries: number;
  readonly entryBytes: number;
  /** Memory of the process (resident set size). */
  readonly processBytes: number;
  /** Look-ups since the start. */
  readonly lookups: { readonly hit: number; readonly miss: number; readonly untrusted: number };
  /** Calls to each Redis node per second, since the last report. */
  readonly callsPerSecond: Readonly<Record<string, number>>;
  /** How many changes of this instance took how long within the last hour, by the buckets of `CHANGE_BUCKETS_SECONDS`. */
  readonly changes: readonly number[];
}

export interface ListedInstance extends InstanceReport {
  /** The id of the process. */
  readonly id: string;
  readonly reportedMsAgo: number;
}

const MAX_TEXT = 200;
const MAX_NODES = 1000;

/**
 * Services write reports too, so a report can contain anything. An instance of an earlier version reports less.
 *
 * @returns undefined for a text that is no report
 */
export function parseReport(text: string): InstanceReport | undefined {
  let given: Partial<Record<keyof InstanceReport, unknown>>;
  try {
    given = JSON.parse(text) as typeof given;
  } catch {
    return undefined;
  }
  if (typeof given !== 'object' || given === null) {
    return undefined;
  }
  const lookups = recordOf(given.lookups);
  return {
    ...(given.service === undefined ? {} : { service: textOf(given.service) }),
    version: textOf(given.version),
    host: textOf(given.host),
    processId: numberOf(given.processId),
    startedAt: timeOf(given.startedAt),
    inbox: textOf(given.inbox),
    leaseMs: numberOf(given.leaseMs),
    isTrusted: given.isTrusted === true,
    entries: numberOf(given.entries),
    entryBytes: numberOf(given.entryBytes),
    processBytes: numberOf(given.processBytes),
    lookups: {
      hit: numberOf(lookups['hit']),
      miss: numberOf(lookups['miss']),
      untrusted: numberOf(lookups['untrusted']),
    },
    callsPerSecond: Object.fromEntries(
      Object.entries(recordOf(given.callsPerSecond))
        .slice(0, MAX_NODES)
        .map(([node, calls]) => [textOf(node), numberOf(calls)]),
    ),
    changes: countsOf(given.changes),
  };
}

function countsOf(value: unknown): number[] {
  const counts: readonly unknown[] = Array.isArray(value) ? value : [];
  return [...CHANGE_BUCKETS_SECONDS, Infinity].map((_, bucket) => numberOf(counts[bucket]));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : '';
}

/** @returns '' for a text that is no time */
function timeOf(value: unknown): string {
  const text = textOf(value);
  return Number.isNaN(Date.parse(text)) ? '' : text;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0;
}
