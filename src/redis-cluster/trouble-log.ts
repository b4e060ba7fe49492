import { Logger } from '@nestjs/common';

import { isRefusal, presentable } from './error-replies.js';

const TELL_AGAIN_MS = 30_000;
/** Texts name nodes, and nodes get new addresses: without a limit the map would grow for ever. */
const MAX_REMEMBERED_TEXTS = 200;

/** Tells the operator what is wrong with Redis. The same trouble comes many times a second; once in a while is enough. */
export class TroubleLog {
  private readonly logger = new Logger('RedisCluster');
  private readonly lastTold = new Map<string, number>();

  /** @param where what the error is about */
  tell(where: string, error: Error): void {
    if (isRefusal(error)) {
      this.tellRefusal(error);
    } else {
      this.once(`${where}: ${error.message}`, 'warn');
    }
  }

  /** Tells of the error only if it is one that somebody has to mend, where others pass by themselves. */
  tellRefusal(error: Error): void {
    if (isRefusal(error)) {
      // Every node says the same: the operator needs to read it once.
      this.once(presentable(error).message, 'error');
    }
  }

  private once(text: string, level: 'warn' | 'error'): void {
    const now = performance.now();
    if (now - (this.lastTold.get(text) ?? -TELL_AGAIN_MS) >= TELL_AGAIN_MS) {
      if (this.lastTold.size >= MAX_REMEMBERED_TEXTS) {
        this.lastTold.clear();
      }
      this.lastTold.set(text, now);
      this.logger[level](text);
    }
  }
}
