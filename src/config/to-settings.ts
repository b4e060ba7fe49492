import { availableParallelism } from 'node:os';

import { parseNode } from '../common/network/index.js';
import { Secret } from '../common/secret/index.js';
import { listItems, parseNatEntry } from './addresses.js';
import { MAX_WORKERS, type Environment } from './setting-definitions.js';
import { loadOrCreateKeyEncryptionSecret } from './key-encryption-secret.js';
import type { RedisUserSettings, Settings } from './settings.js';
import { isTraced, tracingVariables } from './tracing.js';

/** Headers that common libraries for tracing, logging and HTTP send from a page. */
const COMMON_HEADERS = [
  'traceparent',
  'tracestate',
  'baggage',
  'X-Request-Id',
  'X-Correlation-Id',
  'X-Requested-With',
  'Cache-Control',
];

export type Variables = Readonly<Record<string, string | undefined>>;
export type PemSetting =
  'TLS_CERT' | 'TLS_KEY' | 'REDIS_TLS_CA' | 'REDIS_TLS_CERT' | 'REDIS_TLS_KEY';
type Pair = Readonly<Record<'cert' | 'key', string | undefined>>;
/** The contents of the PEM files. */
export type Pem = Pair & { readonly redis: Pair & { readonly ca: string | undefined } };

/** Converts valid variables into settings. */
export function toSettings(
  environment: Environment,
  pem: Pem,
  given: Variables,
  hints: readonly string[],
): Omit<Settings, 'warnings'> {
  const audiences = [...new Set(listItems(environment.JWT_AUDIENCE))];
  const workers = workersOf(environment);
  return Object.freeze({
    isProduction: environment.NODE_ENV === 'production',
    http: {
      host: environment.HOST,
      port: environment.PORT,
      trustedProxies: itemsOf(environment.TRUSTED_PROXIES),
      corsOrigins: itemsOf(environment.CORS_ORIGINS),
      corsHeaders: environment.CORS_HEADERS ? itemsOf(environment.CORS_HEADERS) : COMMON_HEADERS,
      ...publicAddress(environment.PUBLIC_URL),
      ...(pem.cert && pem.key && environment.TLS_CERT && environment.TLS_KEY
        ? {
            tls: {
              cert: pem.cert,
              key: new Secret(pem.key),
              files: { cert: environment.TLS_CERT, key: environment.TLS_KEY },
            },
          }
        : {}),
    },
    workers,
    ...(environment.MAIL_URL && environment.MAIL_FROM
      ? { mail: { url: new Secret(environment.MAIL_URL), from: environment.MAIL_FROM } }
      : {}),
    hasApiDocs: environment.API_DOCS
      ? environment.API_DOCS === 'on'
      : environment.NODE_ENV !== 'production',
    ...(environment.MANAGEMENT_PORT === undefined
      ? {}
      : { management: { host: environment.MANAGEMENT_HOST, port: environment.MANAGEMENT_PORT } }),
    redis: toRedis(environment, pem.redis, given),
    jwt: {
      ...(environment.JWT_ISSUER ? { issuer: environment.JWT_ISSUER } : {}),
      audience: audiences[0]!,
      audiences,
      accessTtlSeconds: environment.ACCESS_TOKEN_TTL,
      keyEncryptionSecret: environment.KEY_ENCRYPTION_SECRET
        ? new Secret(environment.KEY_ENCRYPTION_SECRET)
        : loadOrCreateKeyEncryptionSecret(environment.DATA_DIRECTORY),
      isSecretGenerated: environment.KEY_ENCRYPTION_SECRET === undefined,
      signingKeyLifetimeSeconds: environment.SIGNING_KEY_LIFETIME,
    },
    sessions: {
      idleTtlSeconds: environment.REFRESH_TOKEN_TTL,
      maxAgeSeconds: environment.SESSION_MAX_AGE,
      maxPerUser: environment.SESSIONS_PER_USER,
      refreshGraceSeconds: environment.REFRESH_GRACE,
    },
    nearCache: toNearCache(environment),
    audit: toAudit(environment),
    ...(environment.BOOTSTRAP_ADMIN_USERNAME && environment.BOOTSTRAP_ADMIN_PASSWORD
      ? {
          administrator: {
            username: environment.BOOTSTRAP_ADMIN_USERNAME,
            password: new Secret(environment.BOOTSTRAP_ADMIN_PASSWORD),
          },
        }
      : {}),
    passwords: {
      minLength: environment.PASSWORD_MIN_LENGTH,
      ...(workers > 1 ? { concurrentHashes: concurrentHashesOf(workers) } : {}),
    },
    isRegistrationOpen: environment.REGISTRATION === 'open',
    isRateLimited: environment.RATE_LIMIT === 'on',
    logLevel: environment.LOG_LEVEL,
    tracing: isTraced(given) ? { variables: tracingVariables(given) } : {},
    hints,
    dataDirectory: environment.DATA_DIRECTORY,
  });
}

export function toAudit(environment: Environment): Settings['audit'] {
  return {
    retentionSeconds: environment.AUDIT_RETENTION,
    maxEventsPerType: environment.AUDIT_MAX_EVENTS,
  };
}

export function toNearCache(environment: Environment): Settings['nearCache'] {
  return {
    leaseMs: environment.NEAR_CACHE_LEASE * 1000,
    maxEntries: environment.NEAR_CACHE_ENTRIES,
    maxBytes: environment.NEAR_CACHE_MEGABYTES * 1024 * 1024,
  };
}

export function toRedis(
  environment: Environment,
  pem: Pem['redis'],
  given: Variables,
): Settings['redis'] {
  return {
    ...toRedisConnection(environment, pem, given),
    ...toRedisUser(environment),
    requireReplica: environment.REDIS_REQUIRE_REPLICA,
  };
}

function toRedisConnection(
  environment: Environment,
  { ca, cert, key }: Pem['redis'],
  given: Variables,
): Pick<Settings['redis'], 'nodes' | 'natMap' | 'tls' | 'files'> {
  const entries = Object.entries({
    password: given['REDIS_PASSWORD_FILE'],
    ca: environment.REDIS_TLS_CA,
    cert: environment.REDIS_TLS_CERT,
    key: environment.REDIS_TLS_KEY,
  }).filter(([, path]) => path !== undefined);
  const tls = {
    ...(ca ? { ca } : {}),
    ...(cert && key ? { cert, key: new Secret(key) } : {}),
  };
  const natEntries = listItems(environment.REDIS_NAT_MAP ?? '').flatMap((item) => {
    const [announced, reachable] = parseNatEntry(item) ?? [];
    return announced ? [[`${announced.host}:${announced.port}`, reachable]] : [];
  });
  return {
    ...(environment.REDIS_NODES
      ? { nodes: listItems(environment.REDIS_NODES).flatMap((item) => parseNode(item) ?? []) }
      : {}),
    ...(environment.REDIS_TLS ? { tls } : {}),
    ...(entries.length > 0 ? { files: Object.fromEntries(entries) } : {}),
    ...(natEntries.length > 0
      ? { natMap: Object.fromEntries(natEntries) as NonNullable<Settings['redis']['natMap']> }
      : {}),
  };
}

function toRedisUser(environment: Environment): RedisUserSettings {
  return {
    ...(environment.REDIS_USERNAME ? { username: environment.REDIS_USERNAME } : {}),
    ...(environment.REDIS_PASSWORD ? { password: new Secret(environment.REDIS_PASSWORD) } : {}),
    keyPrefix: environment.REDIS_KEY_PREFIX,
  };
}

function workersOf({ WORKERS: workers }: Environment): number {
  return workers === 'auto' ? Math.min(availableParallelism(), MAX_WORKERS) : workers;
}

/** All workers together hash no more passwords at the same time than there are cores, but each worker hashes at least one. */
function concurrentHashesOf(workers: number): number {
  return Math.min(3, Math.max(1, Math.floor(availableParallelism() / workers)));
}

function publicAddress(url: string | undefined): { publicUrl?: string; publicPath: string } {
  if (url === undefined) {
    return { publicPath: '' };
  }
  const { origin, pathname } = new URL(url);
  const publicPath = pathname.replace(/\/+$/, '');
  return { publicUrl: origin + publicPath, publicPath };
}

function itemsOf(list: string | undefined): string[] {
  return list === undefined ? [] : listItems(list);
}
