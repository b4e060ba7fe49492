import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { MetricsRegistry } from '../metrics/registry/index.js';
import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import { Membership } from './membership.js';

const REPORT_INTERVAL_MS = 10_000;
const INSTANCE_TTL_MS = 60_000;

const load = LuaScript.loaderFor(import.meta.url);
const reportInstance = load('report-instance', Number);

/** The list of running instances, for operators. No decision of the protocol depends on it. */
@Injectable()
export class InstanceRegistry implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** The id of this process. It stays the same when the id of the inbox changes. */
  private readonly id = randomUUID();
  private readonly abort = new AbortController();
  private readonly startedAt = new Date();
  /** Number of instances that have reported within the last minute; undefined while unknown. */
  private count: number | undefined;

  constructor(
    private readonly redis: RedisCluster,
    private readonly membership: Membership,
    private readonly clock: Clock,
    metrics: MetricsRegistry,
  ) {
    metrics.gauges(
      'keyslot_instances',
      'Instances of the cluster that have reported within the last minute. Absent while unknown.',
      () => (this.count === undefined ? [] : [[{}, this.count]]),
    );
  }

  onApplicationBootstrap(): void {
    void this.keepReporting();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.abort.abort();
    await this.report('');
  }

  private async keepReporting(): Promise<void> {
    const { signal } = this.abort;
    await this.membership.untilTrusted();
    while (!signal.aborted) {
      await this.report(
        JSON.stringify({
          host: hostname(),
          processId: process.pid,
          startedAt: this.startedAt.toISOString(),
          inbox: this.membership.holder.instance,
          leaseMs: this.membership.holder.leaseMs,
        }),
      );
      await this.clock.delay(REPORT_INTERVAL_MS, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async report(description: string): Promise<void> {
    const keys = ['list', 'reports'].map((part) =>
      this.redis.keys.key(['instances', 'registry'], part),
    );
    this.count = await this.redis
      .run(reportInstance, keys, [this.id, description, INSTANCE_TTL_MS], Deadline.none)
      .catch(() => undefined);
  }
}
