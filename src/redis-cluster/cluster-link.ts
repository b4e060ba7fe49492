import calculateSlot from 'cluster-key-slot';
import type { Cluster, NodeRole, Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

import { withTimeout } from '../common/deadline/index.js';
import { createClusterClient, type OnError } from './cluster-client.js';
import type { ConnectionSecrets } from './connection-secrets.js';
import type { RedisClusterOptions } from './redis-cluster.options.js';
import { resolveBySystem, resolveSeeds } from './seeds.js';
import { agrees, servedSlots } from './served-slots.js';

/** Interval of checks while nothing fails; an error triggers a refresh of the slot map at once. */
const CHECK_INTERVAL_MS = 5000;
/** Multiplied by the number of consecutive failures. */
const BACKOFF_STEP_MS = 50;
const MAX_BACKOFF_MS = 500;
/** Minimum time between two checks, however often `checkSoon` is called. */
const MIN_CHECK_INTERVAL_MS = 250;
/** A single failed check may only mean that this process was busy. */
const MAX_FAILED_CHECKS = 2;
const CONNECT_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 1000;

/**
 * Keeps one client connected to the cluster, even if its nodes move to other addresses. While no known node belongs to a
 * serving cluster, it connects another client through the configured nodes, with new DNS look-ups. The new client takes over
 * as soon as it is connected.
 */
export class ClusterLink {
  private current: Cluster | undefined;
  private candidate: Cluster | undefined;
  private failedChecks = 0;
  /** Aborts all timers at close: a pending timer would keep the process alive. */
  private readonly closing = new AbortController();
  private wake: () => void = () => undefined;

  constructor(
    private readonly options: RedisClusterOptions,
    private readonly secrets: ConnectionSecrets,
    private readonly onError: OnError,
  ) {
    void this.keepConnected();
  }

  /** @throws Error while no client is connected */
  get client(): Cluster {
    if (!this.current) {
      throw new Error('no node of the cluster was reached');
    }
    return this.current;
  }

  nodes(role?: NodeRole): Redis[] {
    return this.current?.nodes(role) ?? [];
  }

  /** @returns `host:port` of the master that serves the key, if one is known */
  masterOf(key: string): string | undefined {
    return this.current?.slots[calculateSlot(key)]?.[0];
  }

  /** Call it after a failure. It refreshes the slot map at once, and soon checks whether the cluster is reachable. */
  checkSoon(): void {
    this.current?.refreshSlotsCache(() => undefined);
    this.wake();
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.wake();
    this.candidate?.disconnect();
    if (this.current?.status === 'ready') {
      await withTimeout(CLOSE_TIMEOUT_MS, this.current.quit()).catch(() => undefined);
    }
    this.current?.disconnect();
  }

  private async keepConnected(): Promise<void> {
    while (!this.closing.signal.aborted) {
      await this.secrets.renew();
      this.failedChecks = (await this.isServing()) ? 0 : this.failedChecks + 1;
      const isLost = this.current?.status !== 'ready';
      if (!this.closing.signal.aborted && (isLost || this.failedChecks >= MAX_FAILED_CHECKS)) {
        await this.reconnect();
      }
      await this.pause();
    }
  }

  private async isServing(): Promise<boolean> {
    const client = this.current;
    if (client?.status !== 'ready') {
      return false;
    }
    const { signal } = this.closing;
    const served = await servedSlots(client, this.options.natMap, signal);
    if (!served) {
      return false;
    }
    // Not refreshed without need, because ioredis blocks the event loop for milliseconds to build a new map. The map itself is
    // compared, because a node that has not heard of a change may have answered any earlier refresh.
    const isFresh =
      agrees(client.slots, served.ranges) &&
      // ioredis forgets a node whose connection has ended, until the next refresh.
      served.nodes === client.nodes().length;
    return isFresh || refreshSlots(client, signal);
  }

  private async reconnect(): Promise<void> {
    const resolve = this.options.resolveHost ?? resolveBySystem;
    const seeds = await resolveSeeds(this.options.nodes, resolve, (host, error) =>
      this.onError(`Redis node ${host}`, error),
    );
    if (seeds.length === 0 || this.closing.signal.aborted) {
      return;
    }
    const { natMap } = this.options;
    const candidate = createClusterClient({ seeds, secrets: this.secrets, natMap }, this.onError);
    this.candidate = candidate;
    const isReady = await untilReady(candidate, this.closing.signal);
    this.candidate = undefined;
    if (!isReady || this.closing.signal.aborted) {
      candidate.disconnect();
      return;
    }
    const old = this.current;
    this.current = candidate;
    this.failedChecks = 0;
    candidate.once('end', () => this.wake());
    candidate.on('node error', () => this.wake());
    old?.disconnect();
  }

  /** Waits until the next check. The wait is shorter while checks fail. */
  private async pause(): Promise<void> {
    const abort = new AbortController();
    const isWoken = new Promise<void>((resolve) => (this.wake = resolve));
    const wait = async (ms: number): Promise<void> =>
      delay(ms, undefined, { signal: abort.signal, ref: false }).catch(() => undefined);
    if (this.failedChecks > 0) {
      await wait(Math.min(BACKOFF_STEP_MS * this.failedChecks, MAX_BACKOFF_MS));
    } else {
      await wait(MIN_CHECK_INTERVAL_MS);
      await Promise.race([isWoken, wait(CHECK_INTERVAL_MS - MIN_CHECK_INTERVAL_MS)]);
    }
    abort.abort();
  }
}

async function refreshSlots(client: Cluster, signal: AbortSignal): Promise<boolean> {
  const refreshed = new Promise<boolean>((resolve) => {
    client.refreshSlotsCache((error?: Error | null) => resolve(!error));
  });
  // ioredis queries the nodes one after the other, so the timeout covers several of them.
  return withTimeout(CONNECT_TIMEOUT_MS, refreshed, { signal }).catch(() => false);
}

/** @returns true when the client knows the slots; false when it ends or takes too long */
async function untilReady(client: Cluster, signal: AbortSignal): Promise<boolean> {
  const settled = new Promise<boolean>((resolve) => {
    client.once('ready', () => resolve(true));
    client.once('end', () => resolve(false));
    client.once('close', () => resolve(false));
  });
  return withTimeout(CONNECT_TIMEOUT_MS, settled, { signal }).catch(() => false);
}
