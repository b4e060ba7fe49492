export type { RequestSpan, SpanAttributes, Spans } from './spans.js';
export { Tracing } from './tracing.js';
export { TracingModule } from './tracing.module.js';
export type { TracingOptions } from './tracing.options.js';
