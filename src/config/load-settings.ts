import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { parse } from 'dotenv';
import { existsSync, readFileSync } from 'node:fs';

import { Secret } from '../common/secret/index.js';
import { isCertificate, isCertificatePair } from './certificate-pair.js';
import { Environment, SECRET_SETTINGS } from './environment.js';
import { isReadByOthers, isShippedPassword, isWeakSecret } from './secret-strength.js';
import { keyEncryptionSecretFrom } from './key-encryption-secret.js';
import { SettingsError } from './settings.error.js';
import type { RedisUserSettings, Settings } from './settings.js';
import { isTraced, tracingMistakes, tracingVariables } from './tracing.js';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment once, over what `.env` says.
 *
 * @throws SettingsError that names every mistake at once
 */
export function loadSettings(variables: Variables = process.env, file = '.env'): Settings {
  const { given, environment, mistakes } = readEnvironment(variables, file);
  mistakes.push(
    ...combinationMistakes(environment),
    ...weakSecretMistakes(environment),
    ...tracingMistakes(given),
  );
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
  return { ...toSettings(environment, pem, given), warnings: warningsOf(environment, given) };
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
  const fromFile = readDotEnv(file);
  const given = Object.fromEntries(
    Object.entries({ ...fromFile, ...variables }).filter(([, value]) => value !== ''),
  );
  const { secrets, mistakes } = readSecretFiles(given);
  const environment = toEnvironment({ ...given, ...secrets });
  return { given, environment, mistakes: [...mistakes, ...ruleMistakes(environment)] };
}

function readDotEnv(file: string): Variables {
  try {
    return existsSync(file) ? parse(readFileSync(file)) : {};
  } catch {
    throw new SettingsError(['.env must be a file that can be read']);
  }
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
      mistakes.push('CORS_ORIGINS must begin with https:// in production');
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

/** Texts that stand where a secret is to be: no production starts with one. */
function weakSecretMistakes(environment: Environment): string[] {
  if (environment.NODE_ENV !== 'production') {
    return [];
  }
  const { KEY_ENCRYPTION_SECRET: secret, BOOTSTRAP_ADMIN_PASSWORD: password } = environment;
  return [
    ...(typeof secret === 'string' && isWeakSecret(secret)
      ? [
          'KEY_ENCRYPTION_SECRET must be random in production, as `openssl rand -hex 32` makes one: not a repetition or a placeholder',
        ]
      : []),
    ...(typeof password === 'string' && isShippedPassword(password)
      ? ['BOOTSTRAP_ADMIN_PASSWORD must not be the example of the documents']
      : []),
  ];
}

/** What a production may have good reasons for, and should know of. */
function warningsOf(environment: Environment, given: Variables): string[] {
  if (environment.NODE_ENV !== 'production') {
    return [];
  }
  const files = [...SECRET_SETTINGS.map((name) => `${name}_FILE`), 'TLS_KEY'];
  return [
    ...(environment.RATE_LIMIT === 'off'
      ? ['RATE_LIMIT is off: passwords can be guessed without a limit. It is for load tests only.']
      : []),
    ...(environment.KEY_ENCRYPTION_SECRET === undefined
      ? [
          `KEY_ENCRYPTION_SECRET is not set. The one in ${environment.DATA_DIRECTORY} is used: without that file, or on another ` +
            'machine, no instance can start on this cluster again. Where the data of Redis lies beside it, whoever copies both can sign tokens.',
        ]
      : []),
    ...files
      .filter((name) => given[name] !== undefined && isReadByOthers(given[name]))
      .map(
        (name) =>
          `${name} can be read by every user here. In a container of its own that is usual; on a shared machine, chmod 600 it.`,
      ),
  ];
}

function toSettings(
  environment: Environment,
  pem: { cert: string | undefined; key: string | undefined; ca: string | undefined },
  given: Variables,
): Omit<Settings, 'warnings'> {
  return Object.freeze({
    isProduction: environment.NODE_ENV === 'production',
    http: {
      host: environment.HOST,
      port: environment.PORT,
      trustedProxies: itemsOf(environment.TRUSTED_PROXIES),
      corsOrigins: itemsOf(environment.CORS_ORIGINS),
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

function itemsOf(list: string | undefined): string[] {
  return list?.split(',').map((item) => item.trim()) ?? [];
}

function parseNodes(list: string): { host: string; port: number }[] {
  return list.split(',').map((node) => {
    const [host = '', port = ''] = node.trim().split(':');
    return { host, port: Number(port) };
  });
}
