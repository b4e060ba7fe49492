import { Injectable } from '@nestjs/common';

import { MetricsRegistry, type Series } from '../metrics/index.js';

/** What the guard has decided, in plain numbers. Routes that are public are not counted. */
@Injectable()
export class GuardMetrics {
  /** Decided here: by the token itself, by memory, or by an answer that another request was waiting for already. */
  readonly memory = { accepted: 0, refused: 0 };
  /** Decided by an answer of Redis, or by its silence. */
  readonly redis = { accepted: 0, refused: 0, unavailable: 0 };

  constructor(registry: MetricsRegistry) {
    registry.counters(
      'keyslot_guard_verdicts_total',
      'Requests that the guard has let in, refused, or could not decide about; by memory or by Redis.',
      () => [...seriesOf('memory', this.memory), ...seriesOf('redis', this.redis)],
    );
  }
}

function seriesOf(source: string, counts: Readonly<Record<string, number>>): Series<number>[] {
  return Object.entries(counts).map(([verdict, count]) => [{ source, verdict }, count]);
}
