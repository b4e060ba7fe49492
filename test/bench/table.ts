import { formatMeasure, MEASURE_NAMES, MEASURES, type MeasureName } from './measures.js';
import type { MeasureResult, Row, ScenarioResult } from './results.js';

/** Measures for which the table shows the range of the rounds. */
const WITH_SPREAD: ReadonlySet<MeasureName> = new Set([
  'cpuMicros',
  'requestsPerSecond',
  'ratio',
  'lead',
  'p99Ms',
  'p99Factor',
]);

/** A Markdown table with aligned columns. */
export function tableOf({ rows }: ScenarioResult): string {
  const names = MEASURE_NAMES.filter((name) => rows.some(({ measures }) => measures[name]));
  const header = ['', ...names.map((name) => MEASURES[name].title)];
  const cells = rows.map((row) => [`\`${row.subject}\``, ...names.map((name) => cell(row, name))]);
  const widths = header.map((title, column) =>
    Math.max(4, title.length, ...cells.map((line) => line[column]!.length)),
  );
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const lines = [pad(header, widths), rule, ...cells.map((line) => pad(line, widths))];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cell({ measures }: Row, name: MeasureName): string {
  const result = measures[name];
  if (!result) {
    return '-';
  }
  const median = formatMeasure(name, result.median);
  return WITH_SPREAD.has(name) && result.rounds.length > 1
    ? `${median} (${spread(name, result)})`
    : median;
}

function spread(name: MeasureName, { min, max }: MeasureResult): string {
  return `${formatMeasure(name, min)} to ${formatMeasure(name, max)}`;
}

function pad(cells: readonly string[], widths: readonly number[]): string[] {
  return cells.map((text, column) =>
    column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
  );
}
