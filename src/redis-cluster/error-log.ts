import { Logger } from '@nestjs/common';

import { isRefusal, redacted } from './error-replies.js';

const REPEAT_INTERVAL_MS = 30_000;
/** Texts contain node addresses, which change over time. Without a limit the map would grow forever. */
const MAX_REMEMBERED_TEXTS = 200;

/** Logs errors of Redis. The same error may occur many times a second, so it is logged at most once per interval. */
export class ErrorLog {
  private readonly logger = new Logger('RedisCluster');
  private readonly lastLoggedAt = new Map<string, number>();

  /** @param where the node or the part that failed */
  log(where: string, error: Error): void {
    if (isRefusal(error)) {
      this.logRefusal(error);
    } else {
      this.once(`${where}: ${error.message}`, 'warn');
    }
  }

  /** Logs the error only if an operator has to fix it. Other errors disappear by themselves. */
  logRefusal(error: Error): void {
    if (isRefusal(error)) {
      // All nodes report the same error, so the text does not name the node.
      this.once(redacted(error).message, 'error');
    }
  }

  private once(text: string, level: 'warn' | 'error'): void {
    const now = performance.now();
    if (now - (this.lastLoggedAt.get(text) ?? -REPEAT_INTERVAL_MS) >= REPEAT_INTERVAL_MS) {
      if (this.lastLoggedAt.size >= MAX_REMEMBERED_TEXTS) {
        this.lastLoggedAt.clear();
      }
      this.lastLoggedAt.set(text, now);
      this.logger[level](text);
    }
  }
}
