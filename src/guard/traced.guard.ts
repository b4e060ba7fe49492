import type { CanActivate, ExecutionContext } from '@nestjs/common';

import type { Spans } from '../tracing/index.js';
import type { JwtAuthGuard } from './jwt-auth.guard.js';

/** Replaces the guard while tracing is on. */
export class TracedGuard implements CanActivate {
  constructor(
    private readonly guard: JwtAuthGuard,
    private readonly spans: Spans,
  ) {}

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    return this.spans.of({ name: 'guard', kind: 'internal', attributes: {} }, () =>
      this.guard.canActivate(context),
    );
  }
}
