import type { ImportFormat, SourceRecord } from '../imported-user.js';
import { auth0Format } from './auth0.format.js';
import { djangoFormat } from './django.format.js';
import { keycloakFormat } from './keycloak.format.js';
import { keyslotFormat } from './keyslot.format.js';
import { isObject } from './members.js';

export { redisJsonFormat } from './redis-json.format.js';

/** The formats of files. */
export const IMPORT_FORMATS: readonly ImportFormat[] = [
  keyslotFormat,
  keycloakFormat,
  djangoFormat,
  auth0Format,
];

/** Members that only records of one format have. */
const SIGNS: readonly (readonly [ImportFormat, readonly string[]])[] = [
  [djangoFormat, ['model', 'fields']],
  [keycloakFormat, ['credentials', 'createdTimestamp', 'serviceAccountClientId', 'enabled']],
  [auth0Format, ['custom_password_hash', 'password_hash', 'user_id', '_id']],
  [keyslotFormat, ['username']],
];

/** @returns the format of a file, by its first record that shows it; undefined when no format fits */
export function formatOf({ value }: SourceRecord): ImportFormat | undefined {
  return isObject(value)
    ? SIGNS.find(([, names]) => names.some((name) => Object.hasOwn(value, name)))?.[0]
    : undefined;
}
