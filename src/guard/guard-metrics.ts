import { Injectable } from '@nestjs/common';

import { MetricsRegistry, type Series } from '../metrics/registry/index.js';

/** Counts the decisions of the guard in plain numbers. Public routes are not counted. */
@Injectable()
export class GuardMetrics {
  /** Decided without a look-up: by the token itself, by memory, or by the look-up of another request. */
  readonly memory = { accepted: 0, refused: 0 };
  /** Decided by a look-up in Redis, or by its failure. */
  readonly redis = { accepted: 0, refused: 0, unavailable: 0 };

  constructor(registry: MetricsRegistry) {
    registry.counters(
      'keyslot_guard_verdicts_total',
      'Requests that the guard accepted, refused, or could not decide; by memory or by Redis.',
      () => [...seriesOf('memory', this.memory), ...seriesOf('redis', this.redis)],
    );
  }
}

function seriesOf(source: string, counts: Readonly<Record<string, number>>): Series<number>[] {
  return Object.entries(counts).map(([verdict, count]) => [{ source, verdict }, count]);
}
