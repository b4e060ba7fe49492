import { Logger } from '@nestjs/common';

import { isRefusal, redacted } from './error-replies.js';

const REPEAT_INTERVAL_MS = 30_000;
/** Texts name nodes, and nodes get new addresses: without a limit the map would grow for ever. */
const MAX_REMEMBERED_TEXTS = 200;

/** Tells the operator what is wrong with Redis. The same trouble comes many times a second; once in a while is enough. */
export class ErrorLog {
  private readonly logger = new Logger('RedisCluster');
  private readonly lastLoggedAt = new Map<string, number>();

  /** @param where what the error is about */
  tell(where: string, error: Error): void {
    if (isRefusal(error)) {
      this.logRefusal(error);
    } else {
      this.once(`${where}: ${error.message}`, 'warn');
    }
  }

  /** Tells of the error only if it is one that somebody has to mend, where others pass by themselves. */
  logRefusal(error: Error): void {
    if (isRefusal(error)) {
      // Every node says the same: the operator needs to read it once.
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
