import { Secret } from '../common/secret/index.js';

type Variables = Readonly<Record<string, string | undefined>>;

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;
const PROTOCOLS = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'] as const;
/** The protocol that OpenTelemetry recommends. Collectors use port 4318 for it, and 4317 for gRPC. */
const PROTOCOL = 'http/protobuf';

/**
 * Whether requests are traced, according to the standard variables of OpenTelemetry. There is one deviation from its
 * specification: without an endpoint, tracing is off and nothing is sent to localhost.
 */
export function isTraced(given: Variables): boolean {
  return (
    ENDPOINTS.some((name) => given[name] !== undefined) &&
    given['OTEL_TRACES_EXPORTER'] !== 'none' &&
    given['OTEL_SDK_DISABLED']?.toLowerCase() !== 'true'
  );
}

/** Finds mistakes that the SDK reports only at the first export, or never. */
export function tracingMistakes(given: Variables): string[] {
  if (!isTraced(given)) {
    return [];
  }
  const exporter = given['OTEL_TRACES_EXPORTER'] ?? 'otlp';
  return [
    ...ENDPOINTS.filter((name) => !isCollector(given[name])).map(
      (name) => `${name} must be the http or https URL of a collector`,
    ),
    ...PROTOCOLS.filter((name) => (given[name] ?? PROTOCOL) !== PROTOCOL).map(
      (name) => `${name} must be ${PROTOCOL}`,
    ),
    ...(exporter === 'otlp' ? [] : ['OTEL_TRACES_EXPORTER must be otlp or none']),
  ];
}

/** Returns the variables for the SDK. They are secrets, because some are credentials for a collector. */
export function tracingVariables(given: Variables): Record<string, Secret> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      name.startsWith('OTEL_') && value !== undefined ? [[name, new Secret(value)]] : [],
    ),
  );
}

function isCollector(url: string | undefined): boolean {
  return url === undefined || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol));
}
