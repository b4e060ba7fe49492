import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Cluster } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

import { createClusterClient } from './cluster-client.js';
import { KeyBuilder } from './key-builder.js';
import type { LuaScript } from './lua-script.js';
import { NotConfirmedError, RedisUnavailableError } from './redis-cluster.errors.js';
import { REDIS_CLUSTER_OPTIONS } from './redis-cluster.module-definition.js';
import { REDIS_CLUSTER_DEFAULTS, type RedisClusterOptions } from './redis-cluster.options.js';
import { isMissingScript, isRetriable } from './retriable.js';

const PAUSE_BETWEEN_TRIES_MS = 30;
/** One WAIT blocks its connection for at most this long, so that a silent replica does not hold up the others. */
const LONGEST_WAIT_MS = 300;

type Argument = string | number;

/**
 * The one way to Redis: Lua scripts, retried within a time budget. A script may run more than once for one call (a
 * reply can be lost after the work was done), so every script that writes is idempotent.
 */
@Injectable()
export class RedisCluster implements OnApplicationShutdown {
  readonly keys: KeyBuilder;
  private readonly logger = new Logger(RedisCluster.name);
  private readonly options: Required<Pick<RedisClusterOptions, 'confirmingReplicas' | 'budgetMs'>>;
  private readonly client: Cluster;

  constructor(@Inject(REDIS_CLUSTER_OPTIONS) options: RedisClusterOptions) {
    const { keyPrefix, ...settings } = { ...REDIS_CLUSTER_DEFAULTS, ...options };
    this.keys = new KeyBuilder(keyPrefix);
    this.options = settings;
    this.client = createClusterClient(options);
    this.client.on('error', (error: Error) => this.logger.warn(`Redis Cluster: ${error.message}`));
  }

  /**
   * Runs a script whose writes, if any, may be lost in a failover: counters and look-ups.
   *
   * @throws RedisUnavailableError when the budget has run out
   */
  async run<Reply>(
    script: LuaScript<Reply>,
    keys: string[],
    args: Argument[] = [],
  ): Promise<Reply> {
    return this.retry(script, keys, args, 0, (cause) => {
      throw new RedisUnavailableError(`${script.name} got no answer`, { cause });
    });
  }

  /**
   * Runs a script and returns once its replicas have confirmed what it wrote. Script and WAIT travel in one pipeline on
   * one connection, because WAIT speaks only for the writes of its own connection. A script that writes on every path
   * also proves that its reads came from a master that still has its replicas.
   *
   * @throws NotConfirmedError when the budget has run out: the state is unknown, and repeating the call is safe
   */
  async runDurably<Reply>(
    script: LuaScript<Reply>,
    keys: string[],
    args: Argument[] = [],
  ): Promise<Reply> {
    return this.retry(script, keys, args, this.options.confirmingReplicas, (cause) => {
      throw new NotConfirmedError(`${script.name} was not confirmed`, { cause });
    });
  }

  /** The answer of the first node that answers a command which concerns the cluster and no key. */
  async askAnyNode(...command: [string, ...string[]]): Promise<unknown> {
    const [name, ...args] = command;
    const nodes = this.client.nodes('all');
    if (nodes.length === 0) {
      throw new RedisUnavailableError('no node of the cluster is connected');
    }
    try {
      return await Promise.any(
        nodes.map((node) => this.within(this.options.budgetMs, node.call(name, ...args))),
      );
    } catch (cause) {
      throw new RedisUnavailableError(`no node answered ${name}`, { cause });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.client.status === 'ready') {
      await this.within(1000, this.client.quit()).catch(() => undefined);
    }
    this.client.disconnect();
  }

  private async retry<Reply>(
    script: LuaScript<Reply>,
    keys: string[],
    args: Argument[],
    replicas: number,
    giveUp: (cause: unknown) => never,
  ): Promise<Reply> {
    const deadline = performance.now() + this.options.budgetMs;
    let sendSource = false;
    for (;;) {
      const remaining = deadline - performance.now();
      let failure: Error;
      try {
        const reply = await this.within(
          remaining,
          this.attempt(script, keys, args, replicas, sendSource, remaining),
        );
        return script.parse(reply);
      } catch (error) {
        failure = error as Error;
      }
      if (isMissingScript(failure)) {
        sendSource = true;
        continue;
      }
      if (!isRetriable(failure)) {
        throw new Error(`${script.name} failed: ${failure.message}`, { cause: failure });
      }
      if (deadline - performance.now() <= PAUSE_BETWEEN_TRIES_MS) {
        giveUp(failure);
      }
      // A pipeline is not redirected by the client when only part of it failed: the map has to be asked for.
      this.client.refreshSlotsCache(() => undefined);
      await delay(PAUSE_BETWEEN_TRIES_MS);
    }
  }

  private async attempt<Reply>(
    script: LuaScript<Reply>,
    keys: string[],
    args: Argument[],
    replicas: number,
    sendSource: boolean,
    remainingMs: number,
  ): Promise<unknown> {
    if (keys.length !== script.numberOfKeys) {
      throw scriptMisuse(`${script.name} takes ${script.numberOfKeys} keys, not ${keys.length}`);
    }
    const pipeline = this.client.pipeline();
    const call = [keys.length, ...keys, ...args] as const;
    if (sendSource) {
      pipeline.eval(script.source, ...call);
    } else {
      pipeline.evalsha(script.sha1, ...call);
    }
    if (replicas > 0) {
      pipeline.wait(replicas, Math.ceil(Math.min(remainingMs, LONGEST_WAIT_MS)));
    }
    const results = await pipeline.exec();
    const [written, confirmed] = results ?? [];
    if (!written) {
      throw new Error('the pipeline was not sent');
    }
    if (written[0]) {
      throw written[0];
    }
    if (replicas > 0) {
      if (confirmed?.[0]) {
        throw confirmed[0];
      }
      if (Number(confirmed?.[1]) < replicas) {
        throw new Error(`${String(confirmed?.[1])} of ${replicas} replicas confirmed`);
      }
    }
    return written[1];
  }

  private async within<T>(ms: number, work: Promise<T>): Promise<T> {
    const abort = new AbortController();
    try {
      return await Promise.race([
        work,
        delay(Math.max(0, ms), undefined, { signal: abort.signal }).then(() => {
          throw new Error('no reply in time');
        }),
      ]);
    } finally {
      abort.abort();
    }
  }
}

function scriptMisuse(message: string): Error {
  const error = new Error(message);
  // Named like an answer of the server, because it will be the same next time.
  error.name = 'ReplyError';
  return error;
}
