import 'reflect-metadata';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateBy } from 'class-validator';

import { parseNode } from '../common/network/index.js';
import { isNetwork, listItems, parseNatEntry } from './addresses.js';
import { isMailUrl, isSender } from './mail-addresses.js';
import { parseDuration } from './duration.js';

const SECONDS = { minute: 60, hour: 3600, day: 86_400 } as const;

const asBoolean = ({ value }: TransformFnParams): unknown =>
  value === 'true' ? true : value === 'false' ? false : (value as unknown);
const asNumber = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : (value as unknown);
const asDuration = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' ? (parseDuration(value) ?? value) : (value as unknown);

const IsDuration = (minSeconds: number, maxSeconds: number, range: string): PropertyDecorator =>
  ValidateBy({
    name: 'isDuration',
    validator: {
      validate: (value) => typeof value === 'number' && value >= minSeconds && value <= maxSeconds,
      defaultMessage: () => `must be a duration such as 900, 15m, 12h or 30d, ${range}`,
    },
  });

/** A worker is a process with its own memory and connections to Redis. */
export const MAX_WORKERS = 64;

const bool = { message: 'must be true or false' };
const IsListOf = (
  name: string,
  isItem: (item: string) => boolean,
  message: string,
  splitItems = (list: string): string[] => list.split(',').map((item) => item.trim()),
): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value) =>
        typeof value === 'string' && splitItems(value).every((item) => isItem(item)),
      defaultMessage: () => message,
    },
  });

/** Browsers send the origin `null`, or none, for these schemes. */
const WITHOUT_ORIGIN = /^(?:about|blob|data|file|javascript):/;
/** Origin of a page in an app or an extension: `capacitor://localhost`, `chrome-extension://<id>`. */
const APP_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?::\d{1,5})?$/;
/** An origin as a browser sends it (RFC 6454 section 6.1): no path, no trailing slash, no `*`, no `null`. */
const isOrigin = (item: string): boolean =>
  /^https?:/.test(item)
    ? !item.includes('*') && URL.canParse(item) && new URL(item).origin === item
    : APP_ORIGIN.test(item) && !WITHOUT_ORIGIN.test(item);
/** A field name (RFC 9110 section 5.6.2). `*` is a valid name, but browsers treat it as a wildcard. */
const isHeaderName = (item: string): boolean =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(item) && item !== '*';
/** A URL to which paths can be appended. */
const isBaseUrl = (url: string): boolean => {
  if (!/^https?:\/\/[^?#\s\\]+$/i.test(url) || !URL.canParse(url)) {
    return false;
  }
  const { username, password } = new URL(url);
  return username === '' && password === '';
};

/** Settings that can be read from a file (`<name>_FILE`), because an environment leaks more easily than a file. */
export const SECRET_SETTINGS = [
  'BOOTSTRAP_ADMIN_PASSWORD',
  'KEY_ENCRYPTION_SECRET',
  'MAIL_URL',
  'REDIS_PASSWORD',
] as const;

/** Settings of the operator's commands that can be read from a file. Instances do not read them. */
export const OPERATOR_SECRETS = [
  'REDIS_ADMIN_PASSWORD',
  'REDIS_REPLICA_PASSWORD',
  'REDIS_SOURCE_PASSWORD',
] as const;

/**
 * Every setting with its rule and its default. A new one also needs its place in `settings.ts` and in `to-settings.ts`. An instance of this class has the parsed environment variables. A message is
 * printed after the name of its setting. It never contains the value, which may be a secret.
 */
export class Environment {
  @IsIn(['development', 'production', 'test'], {
    message: 'must be development, production or test',
  })
  NODE_ENV: 'development' | 'production' | 'test' = 'development';

  @Matches(/^[A-Za-z0-9.:_-]+$/, { message: 'must be a host name or an address' })
  HOST = '127.0.0.1';

  @Transform(asNumber)
  @IsInt({ message: 'must be a port from 0 to 65535' })
  @Min(0, { message: 'must be a port from 0 to 65535' })
  @Max(65_535, { message: 'must be a port from 0 to 65535' })
  PORT = 3000;

  @Transform(asNumber)
  @ValidateBy({
    name: 'isWorkers',
    validator: {
      validate: (value) =>
        value === 'auto' || (Number.isInteger(value) && value >= 1 && value <= MAX_WORKERS),
      defaultMessage: () => `must be auto or a whole number from 1 to ${MAX_WORKERS}`,
    },
  })
  WORKERS: number | 'auto' = 1;

  @IsOptional()
  @IsListOf(
    'nodes',
    (item) => parseNode(item) !== undefined,
    'must be host:port,host:port,… with an IPv6 address in brackets: [::1]:7000',
    listItems,
  )
  REDIS_NODES?: string;

  @IsOptional()
  @IsListOf(
    'natMap',
    (item) => parseNatEntry(item) !== undefined,
    'must be announced=reachable,… with host:port on both sides: 10.0.0.1:6379=203.0.113.5:7001',
    listItems,
  )
  REDIS_NAT_MAP?: string;

  @IsOptional()
  @Matches(/^[^\s\0]+$/, { message: 'must not contain spaces' })
  REDIS_USERNAME?: string;

  @IsOptional()
  @Matches(/^[^\0\r\n]+$/, { message: 'must be one line' })
  REDIS_PASSWORD?: string;

  @Transform(asBoolean)
  @IsBoolean(bool)
  REDIS_TLS = false;

  /** A PEM file. */
  @IsOptional()
  REDIS_TLS_CA?: string;

  /** PEM files. */
  @IsOptional()
  REDIS_TLS_CERT?: string;

  @IsOptional()
  REDIS_TLS_KEY?: string;

  @Matches(/^[^{}\s]{1,64}$/, { message: 'must be 1 to 64 characters without braces or spaces' })
  REDIS_KEY_PREFIX = 'ks:';

  @Transform(asBoolean)
  @IsBoolean(bool)
  REDIS_REQUIRE_REPLICA = false;

  @IsOptional()
  TLS_CERT?: string;

  @IsOptional()
  TLS_KEY?: string;

  @IsOptional()
  @IsListOf(
    'networks',
    isNetwork,
    'must be IP addresses or CIDR ranges such as 10.0.0.0/8, separated by commas; ' +
      'hop counts, names and the range of all addresses (/0) are not supported',
    listItems,
  )
  TRUSTED_PROXIES?: string;

  @IsOptional()
  @IsListOf(
    'origins',
    isOrigin,
    'must be origins such as https://app.example.com, separated by commas',
  )
  CORS_ORIGINS?: string;

  @IsOptional()
  @IsListOf('headers', isHeaderName, 'must be header names, separated by commas')
  CORS_HEADERS?: string;

  @IsOptional()
  @ValidateBy({
    name: 'isBaseUrl',
    validator: {
      validate: (value) => typeof value === 'string' && isBaseUrl(value),
      defaultMessage: () =>
        'must be a URL such as https://api.example.com or https://example.com/keyslot, without query, fragment or password',
    },
  })
  PUBLIC_URL?: string;

  @IsOptional()
  @ValidateBy({
    name: 'isMailUrl',
    validator: {
      validate: (value) => typeof value === 'string' && isMailUrl(value),
      defaultMessage: () =>
        'must be smtps://user:password@host:port or smtp://…, where smtp:// may end with ?tls=none',
    },
  })
  MAIL_URL?: string;

  @IsOptional()
  @ValidateBy({
    name: 'isSender',
    validator: {
      validate: (value) => typeof value === 'string' && isSender(value),
      defaultMessage: () =>
        'must be an address, or a name and an address: Keyslot <no-reply@example.com>',
    },
  })
  MAIL_FROM?: string;

  @IsOptional()
  @IsIn(['on', 'off'], { message: 'must be on or off' })
  API_DOCS?: 'on' | 'off';

  @IsOptional()
  @Transform(asNumber)
  @IsInt({ message: 'must be a port from 0 to 65535' })
  @Min(0, { message: 'must be a port from 0 to 65535' })
  @Max(65_535, { message: 'must be a port from 0 to 65535' })
  MANAGEMENT_PORT?: number;

  @Matches(/^[A-Za-z0-9.:_-]+$/, { message: 'must be a host name or an address' })
  MANAGEMENT_HOST = '127.0.0.1';

  @IsOptional()
  @Matches(/^[\x21-\x7e]+$/, { message: 'must be a URL or another name without spaces' })
  JWT_ISSUER?: string;

  /** The first one is Keyslot itself. */
  @IsListOf(
    'audiences',
    (item) => /^[\x21-\x7e]+$/.test(item),
    'must be a name without spaces, or several that are separated by commas',
    listItems,
  )
  JWT_AUDIENCE = 'keyslot';

  @Transform(asDuration)
  @IsDuration(1, SECONDS.hour, 'at most 1h')
  ACCESS_TOKEN_TTL: number = 15 * SECONDS.minute;

  /** Longer than a rolling upgrade. At most what NIST SP 800-57 part 1 section 5.3.6 recommends for a private signature key. */
  @Transform(asDuration)
  @IsDuration(SECONDS.day, 3 * 365 * SECONDS.day, 'from 1d to 1095d')
  SIGNING_KEY_LIFETIME: number = 90 * SECONDS.day;

  @Transform(asDuration)
  @IsDuration(0, 3650 * SECONDS.day, 'from 0 to 3650d')
  AUDIT_RETENTION: number = 90 * SECONDS.day;

  @Transform(asNumber)
  @IsInt({ message: 'must be a whole number from 10000 to 100000000' })
  @Min(10_000, { message: 'must be a whole number from 10000 to 100000000' })
  @Max(100_000_000, { message: 'must be a whole number from 10000 to 100000000' })
  AUDIT_MAX_EVENTS = 1_000_000;

  @Transform(asDuration)
  @IsDuration(1, 3650 * SECONDS.day, 'at least 1 second')
  REFRESH_TOKEN_TTL: number = 30 * SECONDS.day;

  @Transform(asDuration)
  @IsDuration(1, 3650 * SECONDS.day, 'at least 1 second')
  SESSION_MAX_AGE: number = 90 * SECONDS.day;

  @Transform(asDuration)
  @IsDuration(0, 30, 'at most 30 seconds')
  REFRESH_GRACE = 10;

  @Transform(asNumber)
  @IsInt({ message: 'must be a whole number from 1 to 1000' })
  @Min(1, { message: 'must be a whole number from 1 to 1000' })
  @Max(1000, { message: 'must be a whole number from 1 to 1000' })
  SESSIONS_PER_USER = 100;

  @Transform(asDuration)
  @IsDuration(1, 60, 'from 1 to 60 seconds')
  NEAR_CACHE_LEASE = 2;

  @Transform(asNumber)
  @IsInt({ message: 'must be a whole number from 1 to 10000000' })
  @Min(1, { message: 'must be a whole number from 1 to 10000000' })
  @Max(10_000_000, { message: 'must be a whole number from 1 to 10000000' })
  NEAR_CACHE_ENTRIES = 100_000;

  @Transform(asNumber)
  @IsInt({ message: 'must be a whole number of mebibytes from 1 to 65536' })
  @Min(1, { message: 'must be a whole number of mebibytes from 1 to 65536' })
  @Max(65_536, { message: 'must be a whole number of mebibytes from 1 to 65536' })
  NEAR_CACHE_MEGABYTES = 64;

  @Transform(asNumber)
  @IsInt({ message: 'must be a whole number from 8 to 64' })
  @Min(8, { message: 'must be a whole number from 8 to 64' })
  @Max(64, { message: 'must be a whole number from 8 to 64' })
  PASSWORD_MIN_LENGTH = 15;

  @IsIn(['open', 'closed'], { message: 'must be open or closed' })
  REGISTRATION: 'open' | 'closed' = 'open';

  @IsOptional()
  BOOTSTRAP_ADMIN_USERNAME?: string;

  @IsOptional()
  BOOTSTRAP_ADMIN_PASSWORD?: string;

  @IsIn(['on', 'off'], { message: 'must be on or off' })
  RATE_LIMIT: 'on' | 'off' = 'on';

  @IsIn(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
    message: 'must be silent, fatal, error, warn, info, debug or trace',
  })
  LOG_LEVEL = 'info';

  @Transform(asBoolean)
  @IsBoolean(bool)
  ALLOW_INSECURE_HTTP = false;

  @Transform(asBoolean)
  @IsBoolean(bool)
  ALLOW_REMOTE_MANAGEMENT = false;

  @IsOptional()
  @Matches(/^.{32,}$/, { message: 'must be at least 32 characters' })
  KEY_ENCRYPTION_SECRET?: string;

  @Matches(/.+/, { message: 'must be a folder' })
  DATA_DIRECTORY = '.data';
}
