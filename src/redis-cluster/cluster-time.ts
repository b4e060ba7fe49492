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
/** After so many failed attempts an instance starts with its own clock. */
const MAX_ATTEMPTS = 20;
const POLL_INTERVAL_MS = 10;
/** A slower reply is too inaccurate. */
const MAX_ROUND_TRIP_MS = 500;

/**
 * Makes the clock of the instance follow the clock of the cluster, so that all instances agree when a token expires, even if
 * the clock of a machine is wrong. The time of the cluster is the median of its nodes, so a single wrong node has no effect.
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

  /** Waits until the clocks were compared once. After too many failures this instance uses the clock of its machine. */
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

  /** @returns whether the majority of the nodes replied quickly enough */
  private async compare(): Promise<boolean> {
    const [wall, monotonic] = [this.clock.wall(), this.clock.monotonic()];
    const answers = await this.redis.askEveryNode(['TIME']);
    // The larger of the two: the machine may have slept in the meantime, or its clock may have been set.
    const tookMs = Math.max(this.clock.monotonic() - monotonic, this.clock.wall() - wall);
    const times = answers.flatMap((answer) => (answer === undefined ? [] : [milliseconds(answer)]));
    // A minority of the nodes may be the ones with wrong clocks.
    if (times.length <= answers.length / 2 || tookMs > MAX_ROUND_TRIP_MS) {
      return false;
    }
    const wasFollowing = this.clock.isFollowing;
    this.clock.follow(medianOf(times) + tookMs / 2);
    if (wasFollowing !== this.clock.isFollowing) {
      this.logDifference();
    }
    return true;
  }

  private logDifference(): void {
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
