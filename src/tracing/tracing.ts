import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { withTimeout } from '../common/deadline/index.js';
import type { Spans } from './spans.js';

/** An unreachable collector must not delay the shutdown. */
const FLUSH_TIMEOUT_MS = 3000;

/** Provides the spans, if tracing is on. */
@Injectable()
export class Tracing implements OnApplicationShutdown {
  /** @param spans undefined: tracing is off, and costs nothing */
  constructor(readonly spans: Spans | undefined) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.spans) {
      await withTimeout(FLUSH_TIMEOUT_MS, this.spans.shutdown()).catch(() => undefined);
    }
  }
}
