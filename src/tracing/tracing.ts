import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { withTimeout } from '../common/deadline/index.js';
import type { Spans } from './spans.js';

/** A collector that is away does not hold up the end of an instance. */
const FLUSH_TIMEOUT_MS = 3000;

/** Whether what this instance does is traced. */
@Injectable()
export class Tracing implements OnApplicationShutdown {
  /** @param spans undefined while no exporter is configured: nothing is done then for the sake of tracing */
  constructor(readonly spans: Spans | undefined) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.spans) {
      await withTimeout(FLUSH_TIMEOUT_MS, this.spans.shutdown()).catch(() => undefined);
    }
  }
}
