import { isUUID } from 'class-validator';

import { Secret } from '../../../common/secret/index.js';
import { RefusedRecord, type ImportedPassword, type ImportFormat } from '../imported-user.js';
import { fullName, isObject, MemberReader, type Members } from './members.js';

/** Keycloak's names of versions of Argon2. */
const ARGON2_VERSIONS: Readonly<Record<string, number>> = { '1.0': 16, '1.3': 19 };
const PBKDF2_DIGESTS: Readonly<Record<string, string>> = {
  pbkdf2: 'sha1',
  'pbkdf2-sha256': 'sha256',
  'pbkdf2-sha512': 'sha512',
};

/**
 * `users` in the export of a Keycloak realm (`UserRepresentation`). Roles, groups, attributes, identity providers and second
 * factors are not imported. Service accounts are ignored.
 */
export const keycloakFormat: ImportFormat = {
  name: 'keycloak',
  read: (value) => {
    if (!isObject(value)) {
      return new RefusedRecord('invalid-record', 'a record must be an object');
    }
    if (typeof value['serviceAccountClientId'] === 'string') {
      return 'ignored';
    }
    const members = new MemberReader(value);
    const username = members.text('username');
    if (username === undefined) {
      members.refuse('username is missing');
    }
    const sourceId = members.text('id');
    const password = passwordOf(value['credentials']);
    const user = {
      ...(sourceId !== undefined && isUUID(sourceId)
        ? { id: sourceId.toLowerCase() }
        : { sourceId }),
      username: username ?? '',
      email: members.text('email') ?? null,
      isEmailVerified: members.flag('emailVerified'),
      displayName: fullName(members.text('firstName'), members.text('lastName')),
      roles: [],
      createdAt: members.time('createdTimestamp'),
      isDisabled: !members.flag('enabled', true),
      password: password instanceof RefusedRecord ? ('none' as const) : password,
    };
    return members.refusal ?? (password instanceof RefusedRecord ? password : user);
  },
};

function passwordOf(credentials: unknown): ImportedPassword | RefusedRecord {
  const list: readonly unknown[] = Array.isArray(credentials) ? credentials : [];
  const credential = list.filter(isObject).find(({ type }) => type === 'password');
  if (!credential) {
    return 'none';
  }
  const { value } = credential;
  if (typeof value === 'string' && value !== '') {
    return { plain: new Secret(value) };
  }
  const [secret, data] = partsOf(credential);
  const hash = secret && data && hashOf(secret, data);
  return hash instanceof RefusedRecord ? hash : { hash: new Secret(hash ?? '') };
}

/** @returns the secret data and the credential data; versions before 8 have the same members in one object */
function partsOf(credential: Members): readonly [Members | undefined, Members | undefined] {
  const { secretData, credentialData, hashedSaltedValue: value } = credential;
  return value === undefined
    ? [objectIn(secretData), objectIn(credentialData)]
    : [{ ...credential, value }, credential];
}

function hashOf(secret: Members, data: Members): string | RefusedRecord {
  const { algorithm, hashIterations, additionalParameters } = data;
  const [value, salt] = [secret['value'], secret['salt']].map((part) =>
    typeof part === 'string' ? part : '',
  );
  const [hash, saltDigits] = [value, salt].map((part = '') => part.replace(/=+$/, ''));
  const name = String(algorithm);
  const digest = Object.hasOwn(PBKDF2_DIGESTS, name) ? PBKDF2_DIGESTS[name] : undefined;
  if (digest) {
    return `$pbkdf2-${digest}$i=${Number(hashIterations)}$${saltDigits}$${hash}`;
  }
  if (name === 'argon2') {
    const parameters = isObject(additionalParameters) ? additionalParameters : {};
    const of = (parameter: string): string => String([parameters[parameter]].flat()[0]);
    const costs = `m=${of('memory')},t=${Number(hashIterations)},p=${of('parallelism')}`;
    return `$argon2${of('type')}$v=${ARGON2_VERSIONS[of('version')]}$${costs}$${saltDigits}$${hash}`;
  }
  // The form of the common extension for bcrypt.
  return name === 'bcrypt' ? (value ?? '') : new RefusedRecord('unknown-hash');
}

function objectIn(json: unknown): Members | undefined {
  try {
    const value: unknown = typeof json === 'string' ? JSON.parse(json) : json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
