import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';

import { MetricsRegistry } from '../metrics/index.js';
import type { Announcement } from './announcer.js';
import { LocalStore } from './local-store.js';
import { Membership } from './membership.js';

const CHANGE_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What the near cache tells about itself. Look-ups are counted in plain numbers: a hit costs an addition. */
@Injectable()
export class NearCacheMetrics {
  hits = 0;
  misses = 0;
  untrusted = 0;
  private readonly changes: Counter<'outcome'>;
  private readonly changeSeconds: Histogram;

  constructor(registry: MetricsRegistry, store: LocalStore, membership: Membership) {
    const registers = [registry];
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name: `keyslot_near_cache_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    gauge('entries', 'Values in memory.', () => store.entryCount);
    gauge('bytes', 'Estimated size of the values in memory.', () => store.bytes);
    gauge('lease_held', '1 while this instance trusts its memory, else 0.', () =>
      membership.isTrusted ? 1 : 0,
    );
    gauge(
      'lease_remaining_seconds',
      'How long the memory is trusted without a renewal.',
      () => membership.leaseRemainingMs / 1000,
    );
    const counter = <Label extends string>(
      name: string,
      help: string,
      label: Label,
      read: () => Record<string, number>,
    ): void => {
      new Counter({
        name: `keyslot_near_cache_${name}`,
        help,
        labelNames: [label],
        registers,
        collect() {
          this.reset();
          for (const [value, count] of Object.entries(read())) {
            this.inc({ [label]: value } as Record<Label, string>, count);
          }
        },
      });
    };
    counter(
      'requests_total',
      'Look-ups: answered from memory, loaded, or loaded because memory is not trusted.',
      'result',
      () => ({ hit: this.hits, miss: this.misses, untrusted: this.untrusted }),
    );
    counter(
      'lease_events_total',
      'Leases begun anew with empty memory, and leases renewed.',
      'event',
      () => membership.leaseEvents,
    );
    this.changes = new Counter({
      name: 'keyslot_near_cache_changes_total',
      help: 'Changes: acknowledged by all, waited until silent instances had gone, or not confirmed.',
      labelNames: ['outcome'],
      registers,
    });
    this.changeSeconds = new Histogram({
      name: 'keyslot_near_cache_change_seconds',
      help: 'From the announcement of a change to the last acknowledgement, or the end of the last lease.',
      buckets: CHANGE_BUCKETS_SECONDS,
      registers,
    });
  }

  async observe(announce: () => Promise<Announcement>): Promise<void> {
    const end = this.changeSeconds.startTimer();
    try {
      this.changes.inc({ outcome: await announce() });
    } catch (error) {
      this.changes.inc({ outcome: 'not-confirmed' });
      throw error;
    } finally {
      end();
    }
  }
}
