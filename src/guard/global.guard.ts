import {
  Injectable,
  Optional,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type OnModuleInit,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

import { Tracing, type Spans } from '../tracing/index.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';

/**
 * The global guard: JwtAuthGuard, in a span while tracing is on. In a test, `overrideGuard(JwtAuthGuard)` and
 * `overrideProvider(JwtAuthGuard)` replace it.
 */
@Injectable()
// overrideGuard replaces only guards that a class uses by this decorator.
@UseGuards(JwtAuthGuard)
export class GlobalGuard implements CanActivate, OnModuleInit {
  private readonly spans: Spans | undefined;
  private guard: CanActivate;

  constructor(
    guard: JwtAuthGuard,
    private readonly modules: ModuleRef,
    @Optional() tracing?: Tracing,
  ) {
    this.guard = guard;
    this.spans = tracing?.spans;
  }

  onModuleInit(): void {
    const guards = this.modules.get<JwtAuthGuard, CanActivate>(JwtAuthGuard, { each: true });
    const replacement = guards.find(
      (guard) => guard !== this.guard && guard.constructor !== JwtAuthGuard,
    );
    this.guard = replacement ?? this.guard;
  }

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    return this.spans ? this.trace(context, this.spans) : this.guard.canActivate(context);
  }

  private trace(context: ExecutionContext, spans: Spans): ReturnType<CanActivate['canActivate']> {
    return spans.of({ name: 'guard', kind: 'internal', attributes: {} }, () =>
      this.guard.canActivate(context),
    );
  }
}
