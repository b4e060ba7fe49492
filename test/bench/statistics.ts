import type { Measurement } from './measures.js';

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws when there are no values */
export function summarize(values: readonly number[]): Summary {
  return { median: percentile(values, 50), min: Math.min(...values), max: Math.max(...values) };
}

/** Interpolates linearly between the two nearest values. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) {
    throw new Error('there is nothing to take a percentile of');
  }
  const sorted = [...values].sort((a, b) => a - b);
  const position = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}

/** Rotates the list, so that each item is first in one round. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const start = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/** Statistics of single requests, in milliseconds. */
export function timesOf(times: readonly number[]): Measurement {
  return {
    medianMs: percentile(times, 50),
    p90Ms: percentile(times, 90),
    p99Ms: percentile(times, 99),
    maxMs: Math.max(...times),
  };
}
