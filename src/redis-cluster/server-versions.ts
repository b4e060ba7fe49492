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

const PAUSE_AFTER_SILENCE_MS = 500;
/** The first release of each line with the fixes of CVE-2024-46981 and CVE-2025-49844. Later lines have them all. */
const FIXED = ['7.2.11', '7.4.6', '8.0.4', '8.2.2'];

/**
 * Warns once, at start, of servers whose version is older than the fixes of holes in Lua. No more than that: distributions
 * bring fixes into older versions, and the number does not show it.
 */
@Injectable()
export class ServerVersions implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('RedisCluster');
  private readonly abort = new AbortController();

  constructor(
    private readonly redis: RedisCluster,
    @Inject(REDIS_CLUSTER_OPTIONS) private readonly options: RedisClusterOptions,
  ) {}

  onApplicationBootstrap(): void {
    if (this.options.warnsOfOldServers) {
      void this.warn();
    }
  }

  beforeApplicationShutdown(): void {
    this.abort.abort();
  }

  private async warn(): Promise<void> {
    const { signal } = this.abort;
    let replies: unknown[] = [];
    while (replies.length === 0 && !signal.aborted) {
      // HELLO without arguments changes nothing, and tells the version to users who may not run INFO.
      const answers = await this.redis.askEveryNode(['HELLO']);
      replies = answers.filter((answer) => answer !== undefined);
      if (replies.length === 0) {
        await delay(PAUSE_AFTER_SILENCE_MS, undefined, { signal, ref: false }).catch(
          () => undefined,
        );
      }
    }
    const old = [...new Set(replies.map(versionIn))].filter(lacksLuaFixes).sort();
    if (old.length > 0) {
      this.logger.warn(
        `Redis ${old.join(', ')} has known holes in Lua (CVE-2024-46981, CVE-2025-49844), unless your distribution has ` +
          `mended them. Releases with the fixes: ${FIXED.join(', ')} and later.`,
      );
    }
  }
}

/** Whether a release of this number came before the fixes. */
export function lacksLuaFixes(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const lines = FIXED.map((fixed) => fixed.split('.').map(Number) as [number, number, number]);
  const own = lines.find((line) => line[0] === major && line[1] === minor);
  if (own) {
    return patch < own[2];
  }
  const [newestMajor, newestMinor] = lines.at(-1)!;
  return major < newestMajor || (major === newestMajor && minor < newestMinor);
}

/** @param reply of HELLO: names, each followed by its value */
function versionIn(reply: unknown): string {
  const fields = reply as unknown[];
  return String(fields[fields.indexOf('version') + 1]);
}
