import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

import { REDIS_CLUSTER_OPTIONS } from './redis-cluster.module-definition.js';
import { RedisCluster } from './redis-cluster.js';
import type { RedisClusterOptions } from './redis-cluster.options.js';

const SAFE = 'noeviction';
const QUERY_INTERVAL_MS = 300_000;
const RETRY_INTERVAL_MS = 1000;
const REPLY_TIMEOUT_MS = 400;

/**
 * Reads whether Redis evicts keys when its memory is full: it would evict users and sessions like any cached value. Queried
 * at start and every five minutes. Unknown for a named ACL user: the user that `redis-acl` prints may not run INFO, which
 * Redis classifies as dangerous, and each rejected attempt would fill the ACL LOG.
 */
@Injectable()
export class EvictionPolicy implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('RedisCluster');
  private readonly abort = new AbortController();
  private known: string | null = null;

  constructor(
    private readonly redis: RedisCluster,
    @Inject(REDIS_CLUSTER_OPTIONS) private readonly options: RedisClusterOptions,
  ) {}

  /** `noeviction`, else the policies that differ from it; null while unknown. */
  get name(): string | null {
    return this.known;
  }

  onApplicationBootstrap(): void {
    if (this.options.username === undefined) {
      void this.keepQuerying();
    }
  }

  beforeApplicationShutdown(): void {
    this.abort.abort();
  }

  private async keepQuerying(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      const { isAnswered } = await this.ask();
      const pauseMs = isAnswered ? QUERY_INTERVAL_MS : RETRY_INTERVAL_MS;
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async ask(): Promise<{ readonly isAnswered: boolean }> {
    let isRefused = false;
    const answers = await this.redis.askEveryNode(
      ['INFO', 'memory'],
      REPLY_TIMEOUT_MS,
      () => (isRefused = true),
    );
    const policies = answers.flatMap((answer) =>
      typeof answer === 'string' ? (/^maxmemory_policy:(\S+)/m.exec(answer)?.[1] ?? []) : [],
    );
    if (policies.length > 0) {
      const unsafe = [...new Set(policies)].filter((policy) => policy !== SAFE).sort();
      this.remember(unsafe.join(', ') || SAFE);
    }
    return { isAnswered: isRefused || policies.length > 0 };
  }

  private remember(name: string): void {
    if (name !== SAFE && name !== this.known) {
      this.logger.warn(
        `Redis has the eviction policy ${name}: with its memory full it removes users and sessions. ` +
          'Set maxmemory-policy to noeviction on every node.',
      );
    }
    this.known = name;
  }
}
