import type { TrailEvent } from '../../api/types.js';

const COLUMNS = [
  'at',
  'type',
  'result',
  'reason',
  'actorKind',
  'actorId',
  'subjectKind',
  'subjectId',
  'ip',
  'requestId',
  'details',
  'id',
] as const;

export function toLines(events: readonly TrailEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

/** RFC 4180. */
export function toCsv(events: readonly TrailEvent[]): string {
  const rows = events.map(({ actor, subject, details, ...event }) => ({
    ...event,
    actorKind: actor?.kind,
    actorId: actor?.id,
    subjectKind: subject?.kind,
    subjectId: subject?.id,
    details: details && JSON.stringify(details),
  }));
  return [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column] ?? ''))]
    .map((cells) => `${cells.map(quoted).join(',')}\r\n`)
    .join('');
}

/** A spreadsheet runs a cell that begins with one of these (OWASP ASVS V1.2.10, OWASP: CSV Injection). */
const RUN_BY_SPREADSHEETS = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];

function quoted(cell: string): string {
  const text = RUN_BY_SPREADSHEETS.includes(cell.charAt(0)) ? `'${cell}` : cell;
  return `"${text.replaceAll('"', '""')}"`;
}
