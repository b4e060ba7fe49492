import { MEASURE_NAMES, type Measurement, type MeasureName } from './measures.js';
import { summarize, type Summary } from './statistics.js';

/** One measure of one subject, over all rounds. */
export interface MeasureResult extends Summary {
  readonly rounds: readonly number[];
}

export interface Row {
  readonly subject: string;
  readonly measures: Readonly<Partial<Record<MeasureName, MeasureResult>>>;
}

export interface ScenarioResult {
  /** The subject whose requests per second are defined as 1.00. */
  readonly baseline?: string;
  readonly name: string;
  readonly about: string;
  readonly rows: readonly Row[];
}

/** One round: the measurement of each subject, in table order. */
export type Round = Readonly<Record<string, Measurement>>;

export function rowsOf(rounds: readonly Round[]): Row[] {
  return Object.keys(rounds[0] ?? {}).map((subject) => ({
    subject,
    measures: Object.fromEntries(
      MEASURE_NAMES.flatMap((name) => {
        const values = rounds.flatMap((round) => round[subject]?.[name] ?? []);
        return values.length === 0 ? [] : [[name, { ...summarize(values), rounds: values }]];
      }),
    ),
  }));
}

/**
 * Adds to each measurement its comparison with others of the same round: requests per second as a fraction of the
 * baseline, and the requests per second of the subject as a multiple of its own.
 */
export function withRatios(round: Round, baseline: string, subject: string): Round {
  const rateOf = (name: string): number => round[name]?.requestsPerSecond ?? NaN;
  return Object.fromEntries(
    Object.entries(round).map(([name, measurement]) => [
      name,
      {
        ...measurement,
        ratio: rateOf(name) / rateOf(baseline),
        ...(round[subject] ? { lead: rateOf(subject) / rateOf(name) } : {}),
      },
    ]),
  );
}
