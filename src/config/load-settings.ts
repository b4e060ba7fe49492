import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { parse } from 'dotenv';
import { existsSync, readFileSync } from 'node:fs';

import { Secret } from '../common/secret/index.js';
import { listItems, parseNatEntry, parseNode } from './addresses.js';
import { isCertificate, isCertificatePair } from './certificate-pair.js';
import { settingsCutAtHash } from './env-file.js';
import { Environment, OPERATOR_SECRETS, SECRET_SETTINGS } from './environment.js';
import { loadOrCreateKeyEncryptionSecret } from './key-encryption-secret.js';
import { secretMistake, withoutLineEnd } from './secret-files.js';
import {
  combinationMistakes,
  redisTlsMistakes,
  warningsOf,
  weakSecretMistakes,
} from './setting-checks.js';
import { SettingsError } from './settings.error.js';
import type { OperatorSettings, RedisUserSettings, Settings } from './settings.js';
import { isTraced, tracingMistakes, tracingVariables } from './tracing.js';

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

type Variables = Readonly<Record<string, string | undefined>>;
type PemSetting = 'TLS_CERT' | 'TLS_KEY' | 'REDIS_TLS_CA' | 'REDIS_TLS_CERT' | 'REDIS_TLS_KEY';
type Pair = Readonly<Record<'cert' | 'key', string | undefined>>;
type Pem = Pair & { readonly redis: Pair & { readonly ca: string | undefined } };

/**
 * Reads and validates the settings. The environment overrides `.env`.
 *
 * @throws SettingsError with all mistakes
 */
export function loadSettings(variables: Variables = process.env, file = '.env'): Settings {
  const { given, environment, mistakes, hints } = readEnvironment(variables, file);
  mistakes.push(
    ...combinationMistakes(environment),
    ...weakSecretMistakes(environment),
    ...tracingMistakes(given),
  );
  const pem = readPems(environment, mistakes);
  if (mistakes.length > 0) {
    throw new SettingsError(mistakes, hints);
  }
  return {
    ...toSettings(environment, pem, given, hints),
    warnings: warningsOf(environment, given),
  };
}

/**
 * Reads the settings for the operator's Redis commands. Other settings may be missing, and no secret is generated.
 *
 * @throws SettingsError with all mistakes
 */
export function loadOperatorSettings(
  variables: Variables = process.env,
  file = '.env',
): OperatorSettings {
  const { given, environment, mistakes, hints } = readEnvironment(variables, file);
  const operator = readSecretFiles(given, OPERATOR_SECRETS);
  const pem = readPems(environment, mistakes);
  mistakes.push(...redisTlsMistakes(environment), ...operator.mistakes);
  const ofRedis = mistakes.filter((mistake) => mistake.startsWith('REDIS_'));
  if (ofRedis.length > 0) {
    throw new SettingsError([...new Set(ofRedis)], hints);
  }
  const all: Variables = { ...given, ...operator.secrets };
  const secret = (name: (typeof OPERATOR_SECRETS)[number]): Secret | undefined =>
    all[name] === undefined ? undefined : new Secret(all[name]);
  const { REDIS_ADMIN_USERNAME: username } = all;
  const password = secret('REDIS_ADMIN_PASSWORD');
  const replicaPassword = secret('REDIS_REPLICA_PASSWORD');
  return {
    redis: toRedis(environment, pem.redis, given),
    administrator: { ...(username ? { username } : {}), ...(password ? { password } : {}) },
    ...(replicaPassword ? { replicaPassword } : {}),
  };
}

function readPems(environment: Environment, mistakes: string[]): Pem {
  const readPem = (name: PemSetting): string | undefined => {
    const path = environment[name];
    try {
      return path === undefined ? undefined : readFileSync(path, 'utf8');
    } catch {
      mistakes.push(`${name} must be a readable file`);
      return undefined;
    }
  };
  const pem: Pem = {
    cert: readPem('TLS_CERT'),
    key: readPem('TLS_KEY'),
    redis: {
      ca: readPem('REDIS_TLS_CA'),
      cert: readPem('REDIS_TLS_CERT'),
      key: readPem('REDIS_TLS_KEY'),
    },
  };
  if (pem.cert !== undefined && pem.key !== undefined && !isCertificatePair(pem.cert, pem.key)) {
    mistakes.push('TLS_CERT and TLS_KEY must be a certificate and its private key, as PEM');
  }
  const { ca, cert, key } = pem.redis;
  if (ca !== undefined && !isCertificate(ca)) {
    mistakes.push('REDIS_TLS_CA must contain certificates, as PEM');
  }
  if (cert !== undefined && key !== undefined && !isCertificatePair(cert, key)) {
    mistakes.push(
      'REDIS_TLS_CERT and REDIS_TLS_KEY must be a certificate and its private key, as PEM',
    );
  }
  return pem;
}

function readEnvironment(
  variables: Variables,
  file: string,
): { given: Variables; environment: Environment; mistakes: string[]; hints: string[] } {
  const text = readDotEnv(file);
  const given = Object.fromEntries(
    Object.entries({ ...parse(text), ...variables })
      .map(([name, value]) => [name, isSecret(name) && value ? withoutLineEnd(value) : value])
      .filter(([, value]) => value !== ''),
  ) as Variables;
  const hints = settingsCutAtHash(text).map(
    (name) =>
      `${name} in ${file} ends at the first #. The rest is a comment. Quote a value that contains #.`,
  );
  const { secrets, mistakes } = readSecretFiles(given, SECRET_SETTINGS);
  const environment = toEnvironment({ ...given, ...secrets });
  return { given, environment, mistakes: [...mistakes, ...ruleMistakes(environment)], hints };
}

function readDotEnv(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  } catch {
    throw new SettingsError(['.env must be a readable file']);
  }
}

function readSecretFiles(
  given: Variables,
  names: readonly string[],
): { secrets: Variables; mistakes: string[] } {
  const secrets: Record<string, string> = {};
  const mistakes: string[] = [];
  for (const name of names) {
    const path = given[`${name}_FILE`];
    if (path === undefined) {
      continue;
    }
    if (given[name] !== undefined) {
      mistakes.push(`${name} and ${name}_FILE must not both be set`);
      continue;
    }
    try {
      const secret = withoutLineEnd(readFileSync(path, 'utf8'));
      const mistake = secretMistake(secret);
      if (mistake === undefined) {
        secrets[name] = secret;
      } else {
        mistakes.push(`${name}_FILE ${mistake}`);
      }
    } catch {
      mistakes.push(`${name}_FILE must be a readable file`);
    }
  }
  return { secrets, mistakes };
}

function toEnvironment(given: Variables): Environment {
  return plainToInstance(Environment, given, { exposeDefaultValues: true });
}

function ruleMistakes(environment: Environment): string[] {
  return validateSync(environment).map(
    (error) => `${error.property} ${Object.values(error.constraints ?? {})[0]}`,
  );
}

function toSettings(
  environment: Environment,
  pem: Pem,
  given: Variables,
  hints: readonly string[],
): Omit<Settings, 'warnings'> {
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
    hasApiDocs: environment.API_DOCS
      ? environment.API_DOCS === 'on'
      : environment.NODE_ENV !== 'production',
    ...(environment.MANAGEMENT_PORT === undefined
      ? {}
      : { management: { host: environment.MANAGEMENT_HOST, port: environment.MANAGEMENT_PORT } }),
    redis: toRedis(environment, pem.redis, given),
    jwt: {
      ...(environment.JWT_ISSUER ? { issuer: environment.JWT_ISSUER } : {}),
      audience: environment.JWT_AUDIENCE,
      accessTtlSeconds: environment.ACCESS_TOKEN_TTL,
      keyEncryptionSecret: environment.KEY_ENCRYPTION_SECRET
        ? new Secret(environment.KEY_ENCRYPTION_SECRET)
        : loadOrCreateKeyEncryptionSecret(environment.DATA_DIRECTORY),
      isSecretGenerated: environment.KEY_ENCRYPTION_SECRET === undefined,
    },
    sessions: {
      idleTtlSeconds: environment.REFRESH_TOKEN_TTL,
      maxAgeSeconds: environment.SESSION_MAX_AGE,
      maxPerUser: environment.SESSIONS_PER_USER,
      refreshGraceSeconds: environment.REFRESH_GRACE,
    },
    nearCache: {
      leaseMs: environment.NEAR_CACHE_LEASE * 1000,
      maxEntries: environment.NEAR_CACHE_ENTRIES,
      maxBytes: environment.NEAR_CACHE_MEGABYTES * 1024 * 1024,
    },
    ...(environment.BOOTSTRAP_ADMIN_USERNAME && environment.BOOTSTRAP_ADMIN_PASSWORD
      ? {
          administrator: {
            username: environment.BOOTSTRAP_ADMIN_USERNAME,
            password: new Secret(environment.BOOTSTRAP_ADMIN_PASSWORD),
          },
        }
      : {}),
    passwords: { minLength: environment.PASSWORD_MIN_LENGTH },
    isRegistrationOpen: environment.REGISTRATION === 'open',
    isRateLimited: environment.RATE_LIMIT === 'on',
    logLevel: environment.LOG_LEVEL,
    tracing: isTraced(given) ? { variables: tracingVariables(given) } : {},
    hints,
    dataDirectory: environment.DATA_DIRECTORY,
  });
}

function toRedis(environment: Environment, pem: Pem['redis'], given: Variables): Settings['redis'] {
  return {
    ...toRedisConnection(environment, pem, given),
    ...toRedisUser(environment),
    confirmingReplicas: environment.REDIS_CONFIRMING_REPLICAS,
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

function isSecret(name: string): boolean {
  return (SECRET_SETTINGS as readonly string[]).includes(name);
}
