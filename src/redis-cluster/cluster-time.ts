import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

import { Clock } from '../common/clock/index.js';
import { RedisCluster } from './redis-cluster.js';

const COMPARE_EVERY_MS = 5000;
const PAUSE_AFTER_FAILURE_MS = 250;
const POLL_MS = 10;
/** An answer that took longer says too little. */
const LONGEST_ROUND_TRIP_MS = 500;

/**
 * Makes the instance's clock follow the cluster's, so that a token means the same on every instance, though a machine's
 * clock be wrong. The cluster's time is the median of its nodes': one of them that is wrong changes nothing.
 */
@Injectable()
export class ClusterTime implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ClusterTime.name);
  private readonly abort = new AbortController();
  private isKnown = false;

  constructor(
    private readonly redis: RedisCluster,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    void this.keepComparing();
  }

  beforeApplicationShutdown(): void {
    this.abort.abort();
  }

  /** Until the clocks were compared once. */
  async untilKnown(): Promise<void> {
    while (!this.isKnown && !this.abort.signal.aborted) {
      await delay(POLL_MS);
    }
  }

  private async keepComparing(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      const hasCompared = await this.compare().catch(() => false);
      const pauseMs = hasCompared ? COMPARE_EVERY_MS : PAUSE_AFTER_FAILURE_MS;
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** @returns whether enough nodes have answered, and quickly enough */
  private async compare(): Promise<boolean> {
    const begun = this.clock.monotonic();
    const before = this.clock.wall();
    const times = await this.redis.askEveryNode('TIME');
    const roundTripMs = this.clock.monotonic() - begun;
    if (times.length === 0 || roundTripMs > LONGEST_ROUND_TRIP_MS) {
      return false;
    }
    const aheadMs = medianOf(times.map(milliseconds)) - before - roundTripMs / 2;
    const previousMs = this.clock.offsetMs;
    this.clock.follow(aheadMs);
    this.tell(previousMs, this.clock.offsetMs);
    this.isKnown = true;
    return true;
  }

  private tell(previousMs: number, offsetMs: number): void {
    if (offsetMs === 0 && previousMs !== 0) {
      this.logger.warn('The clock of this machine is right again.');
    } else if (Math.abs(offsetMs - previousMs) > 1000) {
      const seconds = Math.round(Math.abs(offsetMs) / 1000);
      const side = offsetMs > 0 ? 'behind' : 'ahead of';
      this.logger.warn(
        `The clock of this machine is ${seconds} s ${side} that of the Redis Cluster, which is followed. Set it right.`,
      );
    }
  }
}

/** The reply of TIME: seconds and microseconds. */
function milliseconds(reply: unknown): number {
  const [seconds, microseconds] = (reply as string[]).map(Number);
  return (seconds ?? 0) * 1000 + (microseconds ?? 0) / 1000;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
