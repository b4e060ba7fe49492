import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

import { Clock } from '../common/clock/index.js';
import { RedisCluster } from './redis-cluster.js';

const COMPARE_INTERVAL_MS = 5000;
const RETRY_INTERVAL_MS = 250;
/** Before an instance starts without having compared. */
const MAX_ATTEMPTS = 20;
const POLL_INTERVAL_MS = 10;
/** An answer that took longer says too little. */
const MAX_ROUND_TRIP_MS = 500;

/**
 * Makes the instance's clock follow the cluster's, so that a token means the same on every instance, though a machine's
 * clock be wrong. The cluster's time is the median of its nodes': one of them that is wrong changes nothing.
 */
@Injectable()
export class ClusterTime implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ClusterTime.name);
  private readonly abort = new AbortController();
  private comparisons = 0;
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

  /** Until the clocks were compared once, or that has failed some times: then this machine's is taken for right. */
  async untilKnown(): Promise<void> {
    while (!this.isKnown && !this.abort.signal.aborted) {
      await delay(POLL_INTERVAL_MS);
    }
  }

  private async keepComparing(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      const hasCompared = await this.compare().catch(() => false);
      this.comparisons += 1;
      this.isKnown ||= hasCompared || this.comparisons >= MAX_ATTEMPTS;
      const pauseMs = hasCompared ? COMPARE_INTERVAL_MS : RETRY_INTERVAL_MS;
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** @returns whether most nodes have answered, and quickly enough */
  private async compare(): Promise<boolean> {
    const [wall, monotonic] = [this.clock.wall(), this.clock.monotonic()];
    const answers = await this.redis.askEveryNode(['TIME']);
    // The larger of the two: the machine may have slept meanwhile, or its clock may have been set.
    const tookMs = Math.max(this.clock.monotonic() - monotonic, this.clock.wall() - wall);
    const times = answers.flatMap((answer) => (answer === undefined ? [] : [milliseconds(answer)]));
    // One that is alone may be the one that is wrong.
    if (times.length <= answers.length / 2 || tookMs > MAX_ROUND_TRIP_MS) {
      return false;
    }
    const wasFollowing = this.clock.isFollowing;
    this.clock.follow(medianOf(times) + tookMs / 2);
    if (wasFollowing !== this.clock.isFollowing) {
      this.tell();
    }
    return true;
  }

  private tell(): void {
    const seconds = Math.round((this.clock.now() - this.clock.wall()) / 1000);
    this.logger.warn(
      this.clock.isFollowing
        ? `The clock of this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead of'} that of the ` +
            'Redis Cluster, which is followed. Set it right.'
        : 'The clock of this machine is right again.',
    );
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
