import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

import type { DurationTally } from './duration-tally.js';
import type { MetricSnapshot } from './merged-metrics.js';
import { ReadMetric } from './read-metric.js';

/** One series: its labels and its value. Label values must come from a closed set, because series are never removed. */
export type Series<Kept> = readonly [labels: Readonly<Record<string, string>>, kept: Kept];

/** Creates one series per value of a label. */
export function seriesBy<Kept>(
  label: string,
  kept: Readonly<Record<string, Kept>>,
): Series<Kept>[] {
  return Object.entries(kept).map(([value, one]) => [{ [label]: value }, one]);
}

/**
 * Every module registers its metrics here. Each application has its own registry. Modules count in plain numbers, which the
 * registry reads at each scrape, so counting costs one addition.
 */
@Injectable()
export class MetricsRegistry extends Registry {
  /** The text that `GET /metrics` returns. A worker replaces it, to return the metrics of all workers. */
  scrape = async (): Promise<string> => this.metrics();

  /** All metrics with their values. */
  async snapshot(): Promise<readonly MetricSnapshot[]> {
    // prom-client declares the type of a metric as a number, but it is a text.
    return (await this.getMetricsAsJSON()) as unknown as readonly MetricSnapshot[];
  }

  /** Adds the metrics of the process: CPU, memory, event loop, garbage collection. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this });
    this.counters(
      'keyslot_event_loop_seconds_total',
      'Time of the event loop, active or idle. The rate of active is its utilization.',
      () => {
        const { active, idle } = performance.eventLoopUtilization();
        return seriesBy('state', { active: active / 1000, idle: idle / 1000 });
      },
    );
  }

  /** @param read NaN while the value is unknown */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    const collect = async function (this: Gauge): Promise<void> {
      this.set(await read());
    };
    new Gauge({ name, help, registers: [this], collect });
  }

  /** @param read the current value of each series; all series have the same labels */
  gauges(
    name: string,
    help: string,
    read: () => Iterable<Series<number>> | Promise<Iterable<Series<number>>>,
  ): void {
    new ReadMetric(this, { name, help, type: 'gauge' }, async () =>
      Array.from(await read(), ([labels, value]) => ({ labels, value })),
    );
  }

  /** @param read the total of each series since the start; all series have the same labels */
  counters(name: string, help: string, read: () => Iterable<Series<number>>): void {
    new ReadMetric(this, { name, help, type: 'counter' }, () =>
      Array.from(read(), ([labels, value]) => ({ labels, value })),
    );
  }

  /** @param read the tally of each series; all series have the same labels */
  histogram(name: string, help: string, read: () => Iterable<Series<DurationTally>>): void {
    new ReadMetric(this, { name, help, type: 'histogram' }, () =>
      Array.from(read()).flatMap(([labels, tally]) => tally.valuesOf(name, labels)),
    );
  }
}
