import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import { Deadline } from '../common/deadline/index.js';
import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import type { Announcement } from './announcer.js';
import {
  parseChange,
  type ChangeEvent,
  type ChangeSettled,
  type HolderResult,
} from './change-event.js';
import type { Holder } from './directory.js';

const RENEWAL_INTERVAL_MS = 10_000;
/** Longer than two reports of an instance, which is how it learns that somebody watches. */
const MARK_TTL_MS = 30_000;
/** After this time without a connection, listeners are told that there is none. A connection takes some milliseconds. */
const CONNECT_TIMEOUT_MS = 1000;

const load = LuaScript.loaderFor(import.meta.url);
const watchChanges = load('watch-changes', Number);

/** One change that is under way. */
export interface ChangeInProgress {
  readonly settled: (instance: string, outcome: Announcement) => void;
  readonly end: (outcome: ChangeSettled['outcome']) => void;
}

export interface ChangeListener {
  onChange(event: ChangeEvent): void;
  /** Whether this instance receives the changes of the others. Called within a second, and then whenever it changes. */
  onConnection(isConnected: boolean): void;
}

/**
 * Publishes the changes of this instance for operators while somebody watches, and delivers those of all instances. Best effort:
 * an event can be lost, and nothing waits for it. An instance learns with its next report that somebody watches.
 */
@Injectable()
export class ChangeFeed {
  /** Whether somebody watched when this instance last reported. */
  isWatchedElsewhere = false;
  private readonly listeners = new Set<ChangeListener>();
  private stop: () => void = () => undefined;
  /** Undefined while connecting for the first time. */
  private isConnected: boolean | undefined;

  constructor(
    private readonly redis: RedisCluster,
    private readonly clock: Clock,
  ) {}

  /** The mark that somebody watches. */
  get watchedKey(): string {
    return this.key('watched');
  }

  /** @param instance the one that makes the change */
  begin(subject: string, instance: string, holders: readonly Holder[]): ChangeInProgress {
    if (this.listeners.size === 0 && !this.isWatchedElsewhere) {
      return UNWATCHED;
    }
    const begun = this.clock.monotonic();
    const elapsedMs = (): number => Math.round((this.clock.monotonic() - begun) * 100) / 100;
    const event = {
      id: randomUUID(),
      at: new Date(this.clock.now()).toISOString(),
      subject,
      instance,
    };
    const others = holders.map((holder) => holder.instance).filter((id) => id !== instance);
    const results = new Map<string, HolderResult>();
    this.publish({ stage: 'announced', ...event, holders: others });
    return {
      settled: (holder, outcome) =>
        void results.set(holder, { instance: holder, ms: elapsedMs(), outcome }),
      end: (outcome) =>
        this.publish({
          stage: 'settled',
          ...event,
          outcome,
          ms: elapsedMs(),
          holders: others.map(
            (id) => results.get(id) ?? { instance: id, ms: null, outcome: 'not-confirmed' },
          ),
        }),
    };
  }

  /** @returns a function that removes the listener */
  watch(listener: ChangeListener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) {
      this.start();
    } else if (this.isConnected !== undefined) {
      listener.onConnection(this.isConnected);
    }
    return () => {
      if (this.listeners.delete(listener) && this.listeners.size === 0) {
        this.stop();
      }
    };
  }

  private start(): void {
    const renew = (): void =>
      void this.redis
        .run(watchChanges, [this.watchedKey], [MARK_TTL_MS], Deadline.none)
        .catch(() => undefined);
    renew();
    const timer = setInterval(renew, RENEWAL_INTERVAL_MS).unref();
    const abort = new AbortController();
    this.clock.delay(CONNECT_TIMEOUT_MS, { signal: abort.signal, ref: false }).then(
      () => (this.isConnected === undefined ? this.setConnected(false) : undefined),
      () => undefined,
    );
    const unsubscribe = this.redis.subscribe([this.channel], {
      onUp: () => this.setConnected(true),
      onDown: () => this.setConnected(false),
      onMessage: (_, message) => this.deliver(message),
    });
    this.stop = () => {
      clearInterval(timer);
      abort.abort();
      unsubscribe();
      this.isConnected = undefined;
    };
  }

  private setConnected(isConnected: boolean): void {
    this.isConnected = isConnected;
    this.listeners.forEach((listener) => listener.onConnection(isConnected));
  }

  private publish(event: ChangeEvent): void {
    this.redis.publish(this.channel, JSON.stringify(event));
  }

  private deliver(message: string): void {
    const event = parseChange(message);
    if (event) {
      this.listeners.forEach((listener) => listener.onChange(event));
    }
  }

  private get channel(): string {
    return this.key('changes');
  }

  private key(part: string): string {
    return this.redis.keys.key(['instances', 'registry'], part);
  }
}

const UNWATCHED: ChangeInProgress = { settled: () => undefined, end: () => undefined };
