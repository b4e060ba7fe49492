import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { parse } from 'dotenv';
import { existsSync, readFileSync } from 'node:fs';

import { Secret } from '../common/secret/index.js';
import { isCertificate, isCertificatePair } from './certificate-pair.js';
import { settingsCutAtHash } from './env-file.js';
import { Environment, OPERATOR_SECRETS, SECRET_SETTINGS } from './setting-definitions.js';
import { secretMistake, withoutLineEnd } from './secret-files.js';
import {
  combinationMistakes,
  redisTlsMistakes,
  warningsOf,
  weakSecretMistakes,
} from './setting-checks.js';
import { SettingsError } from './settings.error.js';
import { findKeyEncryptionSecret } from './key-encryption-secret.js';
import type { KeySettings, OperatorSettings, Settings } from './settings.js';
import {
  toAudit,
  toNearCache,
  toRedis,
  toSettings,
  type Pem,
  type PemSetting,
  type Variables,
} from './to-settings.js';
import { tracingMistakes } from './tracing.js';

/** A mistake in one setting. */
interface Mistake {
  readonly setting: string;
  /** What the setting must be. */
  readonly text: string;
}

/**
 * Reads and validates the settings. The environment overrides `.env`.
 *
 * @throws SettingsError with all mistakes
 */
export function loadSettings(variables: Variables = process.env, file = '.env'): Settings {
  const { given, environment, mistakes: found, hints } = readEnvironment(variables, file);
  const pem = readPems(environment, found);
  const mistakes = found.map(textOf);
  mistakes.push(
    ...combinationMistakes(environment),
    ...weakSecretMistakes(environment),
    ...tracingMistakes(given),
  );
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
  const ofRedis = [...mistakes, ...operator.mistakes]
    .filter(({ setting }) => setting.startsWith('REDIS_'))
    .map(textOf)
    .concat(redisTlsMistakes(environment));
  if (ofRedis.length > 0) {
    throw new SettingsError([...new Set(ofRedis)], hints);
  }
  const all: Variables = { ...given, ...operator.secrets };
  const secret = (name: (typeof OPERATOR_SECRETS)[number]): Secret | undefined =>
    all[name] === undefined ? undefined : new Secret(all[name]);
  const { REDIS_ADMIN_USERNAME: username, REDIS_SOURCE_USERNAME: sourceUsername } = all;
  const password = secret('REDIS_ADMIN_PASSWORD');
  const replicaPassword = secret('REDIS_REPLICA_PASSWORD');
  const sourcePassword = secret('REDIS_SOURCE_PASSWORD');
  return {
    redis: toRedis(environment, pem.redis, given),
    administrator: { ...(username ? { username } : {}), ...(password ? { password } : {}) },
    ...(replicaPassword ? { replicaPassword } : {}),
    source: {
      ...(sourceUsername ? { username: sourceUsername } : {}),
      ...(sourcePassword ? { password: sourcePassword } : {}),
    },
  };
}

const SETTINGS_OF_KEYS =
  /^(?:REDIS_|NEAR_CACHE_|KEY_ENCRYPTION_SECRET|SIGNING_KEY_LIFETIME$|AUDIT_|LOG_LEVEL$)/;

/**
 * Reads the settings for the operator's commands for signing keys. Other settings may be missing, and no secret is generated.
 *
 * @throws SettingsError with all mistakes
 */
export function loadKeySettings(variables: Variables = process.env, file = '.env'): KeySettings {
  const { given, environment, mistakes, hints } = readEnvironment(variables, file);
  const pem = readPems(environment, mistakes);
  const found = mistakes
    .filter(({ setting }) => SETTINGS_OF_KEYS.test(setting))
    .map(textOf)
    .concat(redisTlsMistakes(environment));
  if (found.length > 0) {
    throw new SettingsError([...new Set(found)], hints);
  }
  const secret = environment.KEY_ENCRYPTION_SECRET
    ? new Secret(environment.KEY_ENCRYPTION_SECRET)
    : findKeyEncryptionSecret(environment.DATA_DIRECTORY);
  return {
    redis: toRedis(environment, pem.redis, given),
    nearCache: toNearCache(environment),
    logLevel: environment.LOG_LEVEL,
    dataDirectory: environment.DATA_DIRECTORY,
    signingKeyLifetimeSeconds: environment.SIGNING_KEY_LIFETIME,
    audit: toAudit(environment),
    ...(secret ? { keyEncryptionSecret: secret } : {}),
  };
}

function textOf({ setting, text }: Mistake): string {
  return `${setting} ${text}`;
}

function readPems(environment: Environment, mistakes: Mistake[]): Pem {
  const readPem = (name: PemSetting): string | undefined => {
    const path = environment[name];
    try {
      return path === undefined ? undefined : readFileSync(path, 'utf8');
    } catch {
      mistakes.push({ setting: name, text: 'must be a readable file' });
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
    mistakes.push({
      setting: 'TLS_CERT',
      text: 'and TLS_KEY must be a certificate and its private key, as PEM',
    });
  }
  const { ca, cert, key } = pem.redis;
  if (ca !== undefined && !isCertificate(ca)) {
    mistakes.push({ setting: 'REDIS_TLS_CA', text: 'must contain certificates, as PEM' });
  }
  if (cert !== undefined && key !== undefined && !isCertificatePair(cert, key)) {
    mistakes.push({
      setting: 'REDIS_TLS_CERT',
      text: 'and REDIS_TLS_KEY must be a certificate and its private key, as PEM',
    });
  }
  return pem;
}

function readEnvironment(
  variables: Variables,
  file: string,
): { given: Variables; environment: Environment; mistakes: Mistake[]; hints: string[] } {
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
): { secrets: Variables; mistakes: Mistake[] } {
  const secrets: Record<string, string> = {};
  const mistakes: Mistake[] = [];
  for (const name of names) {
    const path = given[`${name}_FILE`];
    if (path === undefined) {
      continue;
    }
    if (given[name] !== undefined) {
      mistakes.push({ setting: name, text: `and ${name}_FILE must not both be set` });
      continue;
    }
    try {
      const secret = withoutLineEnd(readFileSync(path, 'utf8'));
      const mistake = secretMistake(secret);
      if (mistake === undefined) {
        secrets[name] = secret;
      } else {
        mistakes.push({ setting: `${name}_FILE`, text: mistake });
      }
    } catch {
      mistakes.push({ setting: `${name}_FILE`, text: 'must be a readable file' });
    }
  }
  return { secrets, mistakes };
}

function toEnvironment(given: Variables): Environment {
  return plainToInstance(Environment, given, { exposeDefaultValues: true });
}

function ruleMistakes(environment: Environment): Mistake[] {
  return validateSync(environment).map(({ property: setting, constraints = {} }) => ({
    setting,
    text: String(Object.values(constraints)[0]),
  }));
}

function isSecret(name: string): boolean {
  return (SECRET_SETTINGS as readonly string[]).includes(name);
}
