import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

import type { DurationTally } from './duration-tally.js';
import { ReadMetric } from './read-metric.js';

/** One series: its labels, and what is kept of it. A label's values come from a closed set, because no series ever goes. */
export type Series<Kept> = readonly [labels: Readonly<Record<string, string>>, kept: Kept];

/** A series for each value of one label. */
export function seriesBy<Kept>(
  label: string,
  kept: Readonly<Record<string, Kept>>,
): Series<Kept>[] {
  return Object.entries(kept).map(([value, one]) => [{ [label]: value }, one]);
}

/**
 * Where every module registers what it measures. Each application has its own. What happens often is counted in plain
 * numbers, and read when somebody looks: to count then costs an addition.
 */
@Injectable()
export class MetricsRegistry extends Registry {
  constructor() {
    super();
    collectDefaultMetrics({ register: this });
    this.counters(
      'keyslot_event_loop_seconds_total',
      'Time of the event loop: at work, or waiting for some. How fast the first grows is its utilization.',
      () => {
        const { active, idle } = performance.eventLoopUtilization();
        return seriesBy('state', { active: active / 1000, idle: idle / 1000 });
      },
    );
  }

  /** @param read NaN while it is not known */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    const collect = async function (this: Gauge): Promise<void> {
      this.set(await read());
    };
    new Gauge({ name, help, registers: [this], collect });
  }

  /** @param read what each of the series stands at; all have the same labels */
  gauges(
    name: string,
    help: string,
    read: () => Iterable<Series<number>> | Promise<Iterable<Series<number>>>,
  ): void {
    new ReadMetric(this, { name, help, type: 'gauge' }, async () =>
      Array.from(await read(), ([labels, value]) => ({ labels, value })),
    );
  }

  /** @param read how much of each of the series there was since the start; all have the same labels */
  counters(name: string, help: string, read: () => Iterable<Series<number>>): void {
    new ReadMetric(this, { name, help, type: 'counter' }, () =>
      Array.from(read(), ([labels, value]) => ({ labels, value })),
    );
  }

  /** @param read the tally of each of the series; all have the same labels */
  histogram(name: string, help: string, read: () => Iterable<Series<DurationTally>>): void {
    new ReadMetric(this, { name, help, type: 'histogram' }, () =>
      Array.from(read()).flatMap(([labels, tally]) => tally.valuesOf(name, labels)),
    );
  }
}
