import { isLoopback, listItems } from './addresses.js';
import { isMailUrl, sendsPlainCredentials } from './mail-addresses.js';
import { SECRET_SETTINGS, type Environment } from './setting-definitions.js';
import { isReadByOthers, isShippedPassword, isWeakSecret } from './secret-strength.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Invalid combinations of the TLS settings for Redis. */
export function redisTlsMistakes(environment: Environment): string[] {
  const { REDIS_TLS_CA: ca, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key } = environment;
  const isPlain = environment.REDIS_TLS === false;
  return [
    ...(ca && isPlain ? ['REDIS_TLS_CA requires REDIS_TLS=true'] : []),
    ...(cert && isPlain ? ['REDIS_TLS_CERT requires REDIS_TLS=true'] : []),
    ...(Boolean(cert) === Boolean(key)
      ? []
      : ['REDIS_TLS_CERT and REDIS_TLS_KEY must be set together']),
  ];
}

/** Settings that are valid alone, but not in combination. */
export function combinationMistakes(environment: Environment): string[] {
  const mistakes = redisTlsMistakes(environment);
  if (Boolean(environment.TLS_CERT) !== Boolean(environment.TLS_KEY)) {
    mistakes.push('TLS_CERT and TLS_KEY must be set together');
  }
  if (
    Boolean(environment.BOOTSTRAP_ADMIN_USERNAME) !== Boolean(environment.BOOTSTRAP_ADMIN_PASSWORD)
  ) {
    mistakes.push('BOOTSTRAP_ADMIN_USERNAME and BOOTSTRAP_ADMIN_PASSWORD must be set together');
  }
  if (Boolean(environment.MAIL_URL) !== Boolean(environment.MAIL_FROM)) {
    mistakes.push('MAIL_URL and MAIL_FROM must be set together');
  }
  if (environment.MANAGEMENT_PORT === environment.PORT && environment.PORT !== 0) {
    mistakes.push('MANAGEMENT_PORT must differ from PORT');
  }
  if (environment.NODE_ENV === 'production') {
    if (listItems(environment.CORS_ORIGINS ?? '').some((origin) => origin.startsWith('http:'))) {
      mistakes.push('CORS_ORIGINS must not contain http:// in production');
    }
    if (/^http:/i.test(environment.PUBLIC_URL ?? '') && !environment.ALLOW_INSECURE_HTTP) {
      mistakes.push(
        'PUBLIC_URL must begin with https:// in production (ALLOW_INSECURE_HTTP=true overrides)',
      );
    }
    const { MAIL_URL: mailUrl } = environment;
    if (mailUrl !== undefined && !environment.PUBLIC_URL) {
      mistakes.push('PUBLIC_URL is required with MAIL_URL in production, for the links in mails');
    }
    if (mailUrl !== undefined && isMailUrl(mailUrl) && sendsPlainCredentials(mailUrl)) {
      mistakes.push('MAIL_URL must not send a password without TLS in production');
    }
    if (!environment.REDIS_NODES) {
      mistakes.push(
        'REDIS_NODES is required in production, because the embedded cluster is for development',
      );
    }
    if (!environment.TLS_CERT && !environment.TRUSTED_PROXIES && !environment.ALLOW_INSECURE_HTTP) {
      mistakes.push(
        'TLS_CERT and TLS_KEY, or TRUSTED_PROXIES, are required in production (ALLOW_INSECURE_HTTP=true overrides)',
      );
    }
  }
  return mistakes;
}

/** Secrets with which an instance refuses to start in production. */
export function weakSecretMistakes(environment: Environment): string[] {
  if (environment.NODE_ENV !== 'production') {
    return [];
  }
  const { KEY_ENCRYPTION_SECRET: secret, BOOTSTRAP_ADMIN_PASSWORD: password } = environment;
  return [
    ...(typeof secret === 'string' && isWeakSecret(secret)
      ? [
          'KEY_ENCRYPTION_SECRET must be random in production, not a repetition or a placeholder. Create one with `openssl rand -hex 32`',
        ]
      : []),
    ...(typeof password === 'string' && isShippedPassword(password)
      ? ['BOOTSTRAP_ADMIN_PASSWORD must not be an example password from the documentation']
      : []),
  ];
}

/** Only a warning: a container must listen on all addresses, and only the operator knows what the network lets through. */
function managementWarnings(environment: Environment): string[] {
  const { MANAGEMENT_HOST: host, MANAGEMENT_PORT: port } = environment;
  return port === undefined || isLoopback(host) || environment.ALLOW_REMOTE_MANAGEMENT
    ? []
    : [
        'MANAGEMENT_HOST lets other machines read metrics and health details without a password or encryption. Allow only your monitoring ' +
          'to reach MANAGEMENT_PORT (private network, firewall or NetworkPolicy), and confirm it with ALLOW_REMOTE_MANAGEMENT=true.',
      ];
}

/** An instance with a setting of an earlier version starts, so that an upgrade does not fail because of it. */
function removedSettingWarnings(given: Variables): string[] {
  return given['REDIS_CONFIRMING_REPLICAS'] === undefined
    ? []
    : [
        'REDIS_CONFIRMING_REPLICAS has no effect any more: every replica that could be promoted now confirms each write. While a ' +
          'shard has no such replica, it accepts writes with one copy. If you prefer 503 answers for that shard, set ' +
          'REDIS_REQUIRE_REPLICA=true. Remove REDIS_CONFIRMING_REPLICAS.',
      ];
}

/** Settings without effect, and settings that are risky in production, but sometimes intended. */
export function warningsOf(environment: Environment, given: Variables): string[] {
  const removed = removedSettingWarnings(given);
  if (environment.NODE_ENV !== 'production') {
    return removed;
  }
  const files = [...SECRET_SETTINGS.map((name) => `${name}_FILE`), 'TLS_KEY', 'REDIS_TLS_KEY'];
  return [
    ...removed,
    ...(environment.RATE_LIMIT === 'off'
      ? ['RATE_LIMIT is off: passwords can be guessed without a limit. Use it for load tests only.']
      : []),
    ...managementWarnings(environment),
    ...(environment.KEY_ENCRYPTION_SECRET === undefined
      ? [
          `KEY_ENCRYPTION_SECRET is not set. The generated secret in ${environment.DATA_DIRECTORY} is used. Without that file, for ` +
            'example on another machine, no instance can start on this cluster. Protect the file: with it and a copy of the ' +
            'data in Redis, anybody can sign tokens.',
        ]
      : []),
    ...files
      .filter((name) => given[name] !== undefined && isReadByOthers(given[name]))
      .map(
        (name) =>
          `Every user of this machine can read ${name}. That is usual in a container. On a shared machine, run chmod 600 on it.`,
      ),
  ];
}
