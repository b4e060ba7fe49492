/** Everything that a scenario can measure, in column order. */
export const MEASURES = {
  /** First, because it depends least on what else the machine does. */
  cpuMicros: { title: 'CPU µs/request', digits: 0 },
  requestsPerSecond: { title: 'requests/s', digits: 0 },
  ratio: { title: 'ratio', digits: 2 },
  lead: { title: 'Keyslot / this', digits: 2 },
  medianMs: { title: 'p50 ms', digits: 2 },
  p90Ms: { title: 'p90 ms', digits: 2 },
  p99Ms: { title: 'p99 ms', digits: 2 },
  maxMs: { title: 'max ms', digits: 1 },
  p99Factor: { title: 'p99, factor', digits: 2 },
  hitRate: { title: 'hit rate', digits: 3 },
  bodyBytes: { title: 'body bytes', digits: 0 },
} as const;

export type MeasureName = keyof typeof MEASURES;
export const MEASURE_NAMES = Object.keys(MEASURES) as MeasureName[];

/** The measurement of one subject in one round. */
export type Measurement = Readonly<Partial<Record<MeasureName, number>>>;

export function formatMeasure(name: MeasureName, value: number): string {
  const { digits } = MEASURES[name];
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
