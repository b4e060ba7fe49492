import { Module } from '@nestjs/common';

import { Tracing } from './tracing.js';
import { ConfigurableModuleClass, TRACING_OPTIONS } from './tracing.module-definition.js';
import type { TracingOptions } from './tracing.options.js';

/** Spans of requests, of the guard and of Redis calls, for an OpenTelemetry collector. Off by default. */
@Module({
  providers: [
    {
      provide: Tracing,
      inject: [TRACING_OPTIONS],
      useFactory: async ({ variables }: TracingOptions) => {
        if (!variables) {
          return new Tracing(undefined);
        }
        const { openTelemetrySpans } = await import('./open-telemetry.js');
        return new Tracing(openTelemetrySpans(variables));
      },
    },
  ],
  exports: [Tracing],
})
export class TracingModule extends ConfigurableModuleClass {}
