import type { Secret } from '../common/secret/index.js';

export interface TracingOptions {
  /** The `OTEL_…` variables of OpenTelemetry. Absent: tracing is off, and the SDK is not loaded. */
  readonly variables?: Readonly<Record<string, Secret>> | undefined;
}
