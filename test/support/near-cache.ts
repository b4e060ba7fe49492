import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
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
  type SlotCall,
} from '../../src/near-cache/index.js';
import { Inboxes } from '../../src/near-cache/inboxes.js';
import {
  NotConfirmedError,
  RedisCluster,
  RedisClusterModule,
} from '../../src/redis-cluster/index.js';
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
  /** Reads a note from memory, or from the slot of the note. */
  read(note: string): Promise<string>;
  /** Reads a note from Redis. */
  load(note: string): Promise<string>;
  /** Writes a note, and tells nobody. */
  write(note: string, text: string): Promise<void>;
  /** The script call that reads a note. */
  readOf(note: string): SlotCall<unknown>;
  /** The script call that writes a note. */
  writeOf(note: string, text: string): SlotCall<unknown>;
  /** Changes a note in its slot. */
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
  /** Whether it may hold a lease. Default true. */
  readonly mayHoldLease?: boolean;
}

export const noteKey = (note: string): CacheKey<string> => new CacheKey(`note.${note}`);

export async function startCacheInstance(
  keyPrefix: string,
  options: NearCacheOptions &
    InstanceFault & {
      readonly variables?: Record<string, string>;
      /** An instance of the same prefix whose connections to Redis this one shares. Close that one last. */
      readonly connectedAs?: CacheInstance;
    } = {},
): Promise<CacheInstance> {
  const {
    isDeaf = false,
    mayHoldLease = true,
    variables = {},
    connectedAs,
    ...cacheOptions
  } = options;
  const { redis: settings } = testSettings({ ...variables, REDIS_KEY_PREFIX: keyPrefix });
  const clock = new ShiftedClock();
  const context = await Test.createTestingModule({
    imports: [
      connectedAs ? sharedRedis(connectedAs.redis) : RedisClusterModule.forRoot(settings),
      MetricsModule,
      NearCacheModule.forRoot(cacheOptions),
    ],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  const redis = context.get(RedisCluster);
  const inboxes = context.get(Inboxes);
  if (isDeaf) {
    const subscribe = inboxes.subscribe.bind(inboxes);
    inboxes.subscribe = (instance, listener) =>
      subscribe(instance, { ...listener, onPost: () => undefined });
  }
  if (!mayHoldLease) {
    inboxes.renew = () => Promise.reject(new NotConfirmedError('cut off'));
  }
  await context.init();
  const cache = context.get(NearCache);
  const valueKey = (note: string): string => redis.keys.key(['note', note], 'value');
  const loads = { count: 0 };
  const readOf = (note: string): SlotCall<unknown> => ({
    script: getNote,
    keys: [valueKey(note), redis.keys.key(['note', note], 'fence')],
    args: [],
  });
  const load = async (note: string): Promise<string> => {
    loads.count += 1;
    const { script, keys, args } = readOf(note);
    return String(await redis.runDurably(script, keys, args, Deadline.none));
  };
  const writeOf = (note: string, text: string): SlotCall<unknown> => ({
    script: setNote,
    keys: [valueKey(note)],
    args: [text],
  });
  const write = async (note: string, text: string): Promise<void> => {
    const { script, keys, args } = writeOf(note, text);
    await redis.runDurably(script, keys, args, Deadline.none);
  };
  if (mayHoldLease) {
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
    readOf,
    writeOf,
    read: (note) =>
      cache.getFromSlot(noteKey(note), async (read) => {
        loads.count += 1;
        return String(await read(readOf(note), Deadline.none));
      }),
    change: async (note, text) => {
      await cache.changeInSlot(`note.${note}`, writeOf(note, text), Deadline.none);
    },
    metric: async (name) => {
      const text = await context.get(MetricsRegistry).metrics();
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
      return Number(line?.split(' ').at(-1));
    },
    close: () => context.close(),
  };
}

/** The connections of another instance, which closes them. */
function sharedRedis(redis: RedisCluster): DynamicModule {
  const shared = Object.create(redis, { onApplicationShutdown: { value: undefined } }) as object;
  return {
    module: class SharedRedis {},
    global: true,
    providers: [{ provide: RedisCluster, useValue: shared }],
    exports: [RedisCluster],
  };
}

export const newPrefix = (): string => `t-${randomUUID().slice(0, 8)}:`;
