import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

import type { Spans } from './spans.js';

/** A collector that is away does not hold up the end of an instance. */
const LONGEST_FLUSH_MS = 3000;

/** Whether what this instance does is traced. */
@Injectable()
export class Tracing implements OnApplicationShutdown {
  /** @param spans undefined while no exporter is configured: nothing is done then for the sake of tracing */
  constructor(readonly spans: Spans | undefined) {}

  async onApplicationShutdown(): Promise<void> {
    const tooLong = delay(LONGEST_FLUSH_MS, undefined, { ref: false });
    await Promise.race([this.spans?.shutdown().catch(() => undefined), tooLong]);
  }
}
