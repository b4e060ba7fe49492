import { Injectable } from '@nestjs/common';

import { DurationTally, MetricsRegistry, seriesBy } from '../metrics/registry/index.js';
import { NotConfirmedError } from '../redis-cluster/index.js';
import type { Announcement } from './announcer.js';
import { LocalStore } from './local-store.js';
import { Membership } from './membership.js';
import { CHANGE_BUCKETS_SECONDS, RecentChanges } from './recent-changes.js';

/** The metrics of the near cache. Look-ups are counted in plain numbers, so a hit costs only one addition. */
@Injectable()
export class NearCacheMetrics {
  hits = 0;
  misses = 0;
  untrusted = 0;
  /** Times as those of `keyslot_near_cache_change_seconds`, of the last hour. */
  readonly recent = new RecentChanges();
  private readonly changes: Record<Announcement | 'not-confirmed', number> = {
    acknowledged: 0,
    'waited-for-lease': 0,
    'not-confirmed': 0,
  };
  private readonly changeTime = new DurationTally(CHANGE_BUCKETS_SECONDS);

  constructor(registry: MetricsRegistry, store: LocalStore, membership: Membership) {
    registry.gauge('keyslot_near_cache_entries', 'Values in memory.', () => store.entryCount);
    registry.gauge(
      'keyslot_near_cache_bytes',
      'Estimated size of the values in memory.',
      () => store.bytes,
    );
    registry.gauge(
      'keyslot_near_cache_lease_held',
      '1 while this instance trusts its memory, else 0.',
      () => (membership.isTrusted ? 1 : 0),
    );
    registry.gauge(
      'keyslot_near_cache_lease_remaining_seconds',
      'Remaining time of the lease without a renewal.',
      () => membership.leaseRemainingMs / 1000,
    );
    registry.counters(
      'keyslot_near_cache_requests_total',
      'Look-ups: answered from memory, loaded, or loaded because memory is not trusted.',
      () => seriesBy('result', { hit: this.hits, miss: this.misses, untrusted: this.untrusted }),
    );
    registry.counters(
      'keyslot_near_cache_lease_events_total',
      'Leases that began with empty memory, and renewals of leases.',
      () => seriesBy('event', membership.leaseEvents),
    );
    registry.counters(
      'keyslot_near_cache_changes_total',
      'Changes: acknowledged by all holders, completed after the leases of silent holders expired, or not confirmed.',
      () => seriesBy('outcome', this.changes),
    );
    registry.histogram(
      'keyslot_near_cache_change_seconds',
      'Time from the announcement of a change to the last acknowledgement, or to the expiry of the last lease.',
      () => [[{}, this.changeTime]],
    );
  }

  /**
   * Counts a change that fails with NotConfirmedError before its announcement: in the script that begins it, or in the
   * write.
   */
  async countUnconfirmed<Result>(write: () => Promise<Result>): Promise<Result> {
    try {
      return await write();
    } catch (error) {
      this.changes['not-confirmed'] += error instanceof NotConfirmedError ? 1 : 0;
      throw error;
    }
  }

  /** @param end called with the outcome */
  async observe(
    announce: () => Promise<Announcement>,
    end: (outcome: Announcement | 'not-confirmed') => void,
  ): Promise<void> {
    const begun = performance.now();
    try {
      const outcome = await announce();
      this.changes[outcome] += 1;
      end(outcome);
    } catch (error) {
      this.changes['not-confirmed'] += 1;
      end('not-confirmed');
      throw error;
    } finally {
      const now = performance.now();
      this.changeTime.observe(now - begun);
      this.recent.observe(now - begun, now);
    }
  }
}
