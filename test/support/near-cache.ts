import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { Clock } from '../../src/common/clock/index.js';
import { MetricsModule, MetricsRegistry } from '../../src/metrics/index.js';
import {
  CacheKey,
  NearCache,
  NearCacheModule,
  type NearCacheOptions,
} from '../../src/near-cache/index.js';
import { RedisCluster, RedisClusterModule } from '../../src/redis-cluster/index.js';
import { luaScript } from './lua-script.js';
import { testSettings } from './test-app.js';

const setNote = luaScript(
  `-- KEYS[1] a note\nreturn redis.call('SET', KEYS[1], ARGV[1], 'PX', 600000)`,
);
const getNote = luaScript(
  `-- KEYS[1] a note\n-- KEYS[2] the fence\nredis.call('SET', KEYS[2], '', 'PX', 1000)\nreturn redis.call('GET', KEYS[1]) or ''`,
);

/** An instance whose near cache holds notes. */
export interface CacheInstance {
  readonly context: INestApplicationContext;
  readonly cache: NearCache;
  readonly clock: ShiftedClock;
  readonly redis: RedisCluster;
  /** The number of notes that this instance has read from Redis. */
  readonly loads: { count: number };
  read(note: string): Promise<string>;
  load(note: string): Promise<string>;
  write(note: string, text: string): Promise<void>;
  change(note: string, text: string): Promise<void>;
  metric(name: string): Promise<number>;
  close(): Promise<void>;
}

/** The real time, plus a shift that a test sets. */
export class ShiftedClock extends Clock {
  wallMs = 0;
  monotonicMs = 0;

  override wall(): number {
    return super.wall() + this.wallMs;
  }

  override monotonic(): number {
    return super.monotonic() + this.monotonicMs;
  }
}

/** Faults of an instance. */
interface InstanceFault {
  /** Receives no messages of the channel, although the connection is up. */
  readonly isDeaf?: boolean;
  /** Whether it may become a member. Default true. */
  readonly mayJoin?: boolean;
}

export const noteKey = (note: string): CacheKey<string> => new CacheKey(`note.${note}`);

export async function startCacheInstance(
  keyPrefix: string,
  options: NearCacheOptions & InstanceFault & { readonly variables?: Record<string, string> } = {},
): Promise<CacheInstance> {
  const { isDeaf = false, mayJoin = true, variables = {}, ...cacheOptions } = options;
  const { redis: settings } = testSettings({ ...variables, REDIS_KEY_PREFIX: keyPrefix });
  const clock = new ShiftedClock();
  const context = await Test.createTestingModule({
    imports: [
      RedisClusterModule.forRoot(settings),
      MetricsModule,
      NearCacheModule.forRoot(cacheOptions),
    ],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  const redis = context.get(RedisCluster);
  if (isDeaf || !mayJoin) {
    const subscribe = redis.subscribe.bind(redis);
    redis.subscribe = (channels, listener) =>
      subscribe(channels, {
        onUp: () => (mayJoin ? listener.onUp() : undefined),
        onDown: () => listener.onDown(),
        onMessage: () => undefined,
      });
  }
  await context.init();
  const cache = context.get(NearCache);
  const valueKey = (note: string): string => redis.keys.key(['note', note], 'value');
  const loads = { count: 0 };
  const load = async (note: string): Promise<string> => {
    loads.count += 1;
    const fence = redis.keys.key(['note', note], 'fence');
    return String(await redis.runDurably(getNote, [valueKey(note), fence], [], Deadline.none));
  };
  const write = async (note: string, text: string): Promise<void> => {
    await redis.runDurably(setNote, [valueKey(note)], [text], Deadline.none);
  };
  if (mayJoin) {
    await cache.untilTrusted();
  }
  return {
    context,
    cache,
    clock,
    redis,
    loads,
    load,
    write,
    read: (note) => cache.get(noteKey(note), () => load(note)),
    change: (note, text) => cache.change(`note.${note}`, () => write(note, text), Deadline.none),
    metric: async (name) => {
      const text = await context.get(MetricsRegistry).metrics();
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
      return Number(line?.split(' ').at(-1));
    },
    close: () => context.close(),
  };
}

export const newPrefix = (): string => `t-${randomUUID().slice(0, 8)}:`;
