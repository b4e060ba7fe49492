import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { parse } from 'dotenv';
import { existsSync, readFileSync } from 'node:fs';

import { Secret } from '../common/secret/index.js';
import { isCertificate, isCertificatePair } from './certificate-pair.js';
import { Environment, SECRET_SETTINGS } from './environment.js';
import { keyEncryptionSecretFrom } from './key-encryption-secret.js';
import { SettingsError } from './settings.error.js';
import type { RedisUserSettings, Settings } from './settings.js';
import { isTraced, tracingMistakes, tracingVariables } from './tracing.js';

/** What libraries for traces, logs and requests send from a page. */
const COMMON_HEADERS = [
  ...['traceparent', 'tracestate', 'baggage'],
  ...['X-Request-Id', 'X-Correlation-Id', 'X-Requested-With', 'Cache-Control'],
];

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment once, over what `.env` says.
 *
 * @throws SettingsError that names every mistake at once
 */
export function loadSettings(variables: Variables = process.env, file = '.env'): Settings {
  const { given, environment, mistakes } = readEnvironment(variables, file);
  mistakes.push(...combinationMistakes(environment), ...tracingMistakes(given));
  const readPem = (name: 'TLS_CERT' | 'TLS_KEY' | 'REDIS_TLS_CA'): string | undefined => {
    const path = environment[name];
    try {
      return path === undefined ? undefined : readFileSync(path, 'utf8');
    } catch {
      mistakes.push(`${name} must be a file that can be read`);
      return undefined;
    }
  };
  const pem = { cert: readPem('TLS_CERT'), key: readPem('TLS_KEY'), ca: readPem('REDIS_TLS_CA') };
  if (pem.cert !== undefined && pem.key !== undefined && !isCertificatePair(pem.cert, pem.key)) {
    mistakes.push('TLS_CERT and TLS_KEY must be a certificate and its key, as PEM');
  }
  if (pem.ca !== undefined && !isCertificate(pem.ca)) {
    mistakes.push('REDIS_TLS_CA must hold certificates, as PEM');
  }
  if (mistakes.length > 0) {
    throw new SettingsError(mistakes);
  }
  return toSettings(environment, pem, given);
}

/**
 * For the operator's commands, which need nothing else of what an instance needs, and make nothing.
 *
 * @throws SettingsError that names every mistake at once
 */
export function loadRedisUser(
  variables: Variables = process.env,
  file = '.env',
): RedisUserSettings {
  const { environment, mistakes } = readEnvironment(variables, file);
  const ofRedis = mistakes.filter((mistake) => mistake.startsWith('REDIS_'));
  if (ofRedis.length > 0) {
    throw new SettingsError(ofRedis);
  }
  return toRedisUser(environment);
}

function readEnvironment(
  variables: Variables,
  file: string,
): { given: Variables; environment: Environment; mistakes: string[] } {
  const fromFile = existsSync(file) ? parse(readFileSync(file)) : {};
  const given = Object.fromEntries(
    Object.entries({ ...fromFile, ...variables }).filter(([, value]) => value !== ''),
  );
  const { secrets, mistakes } = readSecretFiles(given);
  const environment = toEnvironment({ ...given, ...secrets });
  return { given, environment, mistakes: [...mistakes, ...ruleMistakes(environment)] };
}

function readSecretFiles(given: Variables): { secrets: Variables; mistakes: string[] } {
  const secrets: Record<string, string> = {};
  const mistakes: string[] = [];
  for (const name of SECRET_SETTINGS) {
    const path = given[`${name}_FILE`];
    if (path === undefined) {
      continue;
    }
    if (given[name] !== undefined) {
      mistakes.push(`${name} and ${name}_FILE exclude each other`);
      continue;
    }
    try {
      // An editor ends the line; the secret is what stands on it.
      secrets[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    } catch {
      mistakes.push(`${name}_FILE must be a file that can be read`);
    }
    if (secrets[name] === '') {
      mistakes.push(`${name}_FILE must not be empty`);
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

function combinationMistakes(environment: Environment): string[] {
  const mistakes: string[] = [];
  if (environment.REDIS_TLS_CA && environment.REDIS_TLS === false) {
    mistakes.push('REDIS_TLS_CA needs REDIS_TLS=true');
  }
  if (Boolean(environment.TLS_CERT) !== Boolean(environment.TLS_KEY)) {
    mistakes.push('TLS_CERT and TLS_KEY go together');
  }
  if (
    Boolean(environment.BOOTSTRAP_ADMIN_USERNAME) !== Boolean(environment.BOOTSTRAP_ADMIN_PASSWORD)
  ) {
    mistakes.push('BOOTSTRAP_ADMIN_USERNAME and BOOTSTRAP_ADMIN_PASSWORD go together');
  }
  if (environment.MANAGEMENT_PORT === environment.PORT && environment.PORT !== 0) {
    mistakes.push('MANAGEMENT_PORT must be another port than PORT');
  }
  if (environment.NODE_ENV === 'production') {
    if (itemsOf(environment.CORS_ORIGINS).some((origin) => origin.startsWith('http:'))) {
      mistakes.push('CORS_ORIGINS must not contain http:// in production');
    }
    if (/^http:/i.test(environment.PUBLIC_URL ?? '') && !environment.ALLOW_INSECURE_HTTP) {
      mistakes.push(
        'PUBLIC_URL must begin with https:// in production (ALLOW_INSECURE_HTTP=true overrides)',
      );
    }
    if (!environment.REDIS_NODES) {
      mistakes.push('REDIS_NODES is needed in production: the embedded cluster is for development');
    }
    if (!environment.TLS_CERT && !environment.TRUSTED_PROXIES && !environment.ALLOW_INSECURE_HTTP) {
      mistakes.push(
        'TLS_CERT and TLS_KEY, or TRUSTED_PROXIES, are needed in production (ALLOW_INSECURE_HTTP=true overrides)',
      );
    }
  }
  return mistakes;
}

function toSettings(
  environment: Environment,
  pem: { cert: string | undefined; key: string | undefined; ca: string | undefined },
  given: Variables,
): Settings {
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
    redis: {
      ...(environment.REDIS_NODES ? { nodes: parseNodes(environment.REDIS_NODES) } : {}),
      ...toRedisUser(environment),
      ...(environment.REDIS_TLS ? { tls: pem.ca ? { ca: pem.ca } : {} } : {}),
      confirmingReplicas: environment.REDIS_CONFIRMING_REPLICAS,
    },
    jwt: {
      ...(environment.JWT_ISSUER ? { issuer: environment.JWT_ISSUER } : {}),
      audience: environment.JWT_AUDIENCE,
      accessTtlSeconds: environment.ACCESS_TOKEN_TTL,
      keyEncryptionSecret: environment.KEY_ENCRYPTION_SECRET
        ? new Secret(environment.KEY_ENCRYPTION_SECRET)
        : keyEncryptionSecretFrom(environment.DATA_DIRECTORY),
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
    dataDirectory: environment.DATA_DIRECTORY,
  });
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
  return list?.split(',').map((item) => item.trim()) ?? [];
}

function parseNodes(list: string): { host: string; port: number }[] {
  return list.split(',').map((node) => {
    const [host = '', port = ''] = node.trim().split(':');
    return { host, port: Number(port) };
  });
}
