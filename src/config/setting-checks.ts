import { isLoopback, listItems } from './addresses.js';
import { SECRET_SETTINGS, type Environment } from './environment.js';
import { isReadByOthers, isShippedPassword, isWeakSecret } from './secret-strength.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Settings of TLS to Redis that do not go together. */
export function redisTlsMistakes(environment: Environment): string[] {
  const { REDIS_TLS_CA: ca, REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key } = environment;
  const isPlain = environment.REDIS_TLS === false;
  return [
    ...(ca && isPlain ? ['REDIS_TLS_CA needs REDIS_TLS=true'] : []),
    ...(cert && isPlain ? ['REDIS_TLS_CERT needs REDIS_TLS=true'] : []),
    ...(Boolean(cert) === Boolean(key) ? [] : ['REDIS_TLS_CERT and REDIS_TLS_KEY go together']),
  ];
}

/** Settings that are right alone and do not go together. */
export function combinationMistakes(environment: Environment): string[] {
  const mistakes = redisTlsMistakes(environment);
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
    if (listItems(environment.CORS_ORIGINS ?? '').some((origin) => origin.startsWith('http:'))) {
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

/** Texts that stand where a secret is to be: no production starts with one. */
export function weakSecretMistakes(environment: Environment): string[] {
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

/** A container has to listen on all its addresses, so what reaches them is for the network, which only the operator knows. */
function managementWarnings(environment: Environment): string[] {
  const { MANAGEMENT_HOST: host, MANAGEMENT_PORT: port } = environment;
  return port === undefined || isLoopback(host) || environment.ALLOW_REMOTE_MANAGEMENT
    ? []
    : [
        'MANAGEMENT_HOST lets other machines read metrics and health, without a password or encryption. Let only your monitoring ' +
          'reach MANAGEMENT_PORT (a private network, a firewall, a NetworkPolicy), and say so with ALLOW_REMOTE_MANAGEMENT=true.',
      ];
}

/** What a production may have good reasons for, and should know of. */
export function warningsOf(environment: Environment, given: Variables): string[] {
  if (environment.NODE_ENV !== 'production') {
    return [];
  }
  const files = [...SECRET_SETTINGS.map((name) => `${name}_FILE`), 'TLS_KEY', 'REDIS_TLS_KEY'];
  return [
    ...(environment.RATE_LIMIT === 'off'
      ? ['RATE_LIMIT is off: passwords can be guessed without a limit. It is for load tests only.']
      : []),
    ...managementWarnings(environment),
    ...(environment.KEY_ENCRYPTION_SECRET === undefined
      ? [
          `KEY_ENCRYPTION_SECRET is not set. The one in ${environment.DATA_DIRECTORY} is used: without that file, or on another ` +
            'machine, no instance can start on this cluster again. A copy of it and of the data of Redis is enough to sign tokens.',
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
