import { barChart, type Bar } from './bar-chart.js';
import { formatMeasure, type MeasureName } from './measures.js';
import type { Row, ScenarioResult } from './results.js';

export interface Plot {
  readonly name: string;
  readonly alt: string;
  readonly svg: string;
}

/** Charts for results that are easier to read as a picture than in the table. */
export function plotsOf(scenario: ScenarioResult): Plot[] {
  const { name, baseline = 'baseline', rows } = scenario;
  if (!rows.every(({ measures }) => measures.ratio && measures.p99Ms)) {
    return [];
  }
  const plot = (kind: string, title: string, measures: Readonly<Record<string, MeasureName>>) => ({
    name: `${name}-${kind}`,
    alt: title,
    svg: barChart({
      title,
      series: Object.keys(measures),
      rows: rows.map((row) => ({
        label: row.subject,
        bars: Object.values(measures).map((measure) => barOf(row, measure)),
      })),
    }),
  });
  return [
    plot('ratio', `${name}: requests per second, ${baseline} = 1.00`, { median: 'ratio' }),
    plot('latency', `${name}: latency in milliseconds`, { p50: 'medianMs', p99: 'p99Ms' }),
  ];
}

function barOf({ measures }: Row, name: MeasureName): Bar {
  const { median = 0, min = 0, max = 0 } = measures[name] ?? {};
  return { value: median, text: formatMeasure(name, median), spread: { min, max } };
}
