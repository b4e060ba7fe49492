import type { Secret } from '../common/secret/index.js';

export interface TracingOptions {
  /** OpenTelemetry's own, `OTEL_…`, by their names. Absent: nothing is traced, and nothing of its SDK is loaded. */
  readonly variables?: Readonly<Record<string, Secret>> | undefined;
}
