import { Secret } from '../../../common/secret/index.js';
import { RefusedRecord, type ImportedPassword, type ImportFormat } from '../imported-user.js';
import { fullName, isObject, MemberReader, type Members } from './members.js';

/** Forms of hashes that are complete in themselves. */
const COMPLETE = ['argon2', 'bcrypt', 'pbkdf2'];
const ENCODINGS = ['base64', 'hex', 'utf8'] as const;

/**
 * Users in a file for Auth0's bulk import, or in an export of Auth0 with the password hashes. Metadata, roles and second factors
 * are not imported.
 */
export const auth0Format: ImportFormat = {
  name: 'auth0',
  read: (value) => {
    if (!isObject(value)) {
      return new RefusedRecord('invalid-record', 'a record must be an object');
    }
    const members = new MemberReader(value);
    const [username, email] = [members.text('username'), members.text('email')];
    if (username === undefined && email === undefined) {
      members.refuse('username and email are missing');
    }
    const name = members.text('name');
    const names = fullName(members.text('given_name'), members.text('family_name'));
    const password = passwordOf(value);
    const user = {
      sourceId: members.text('user_id') ?? JSON.stringify(value['_id']),
      username: username ?? email ?? '',
      email: email ?? null,
      isEmailVerified: members.flag('email_verified'),
      // Auth0 gives a user without a name the address as name.
      displayName: (name === email ? undefined : name) ?? names,
      roles: [],
      createdAt: members.time('created_at'),
      isDisabled: members.flag('blocked'),
      password: password instanceof RefusedRecord ? ('none' as const) : password,
    };
    return members.refusal ?? (password instanceof RefusedRecord ? password : user);
  },
};

function passwordOf(user: Members): ImportedPassword | RefusedRecord {
  const custom = user['custom_password_hash'];
  const hash = user['password_hash'] ?? user['passwordHash'];
  if (typeof hash === 'string' && hash !== '') {
    return { hash: new Secret(hash) };
  }
  if (!isObject(custom)) {
    return 'none';
  }
  const text = customHash(custom);
  return text instanceof RefusedRecord ? text : { hash: new Secret(text) };
}

function customHash(custom: Members): string | RefusedRecord {
  const { algorithm, hash, password } = custom;
  const { value, encoding } = isObject(hash) ? hash : {};
  if (isObject(password) && (password['encoding'] ?? 'utf8') !== 'utf8') {
    return new RefusedRecord('unknown-hash', 'passwords in another encoding than UTF-8');
  }
  if (COMPLETE.includes(String(algorithm))) {
    const isText = typeof value === 'string' && (encoding ?? 'utf8') === 'utf8';
    return isText ? value : new RefusedRecord('malformed-hash');
  }
  return algorithm === 'scrypt'
    ? scryptHash(custom)
    : new RefusedRecord('unknown-hash', `algorithm ${JSON.stringify(algorithm)?.slice(0, 20)}`);
}

function scryptHash({ hash, salt, cost, blockSize, parallelization, keylen }: Members) {
  const [bytes, saltBytes] = [hash, salt].map(bytesOf);
  const logarithm = Math.log2(Number(cost ?? 16_384));
  const isWhole = keylen === undefined || Number(keylen) === bytes?.length;
  if (!bytes || !saltBytes || !Number.isInteger(logarithm) || !isWhole) {
    return new RefusedRecord('malformed-hash');
  }
  const costs = `ln=${logarithm},r=${Number(blockSize ?? 8)},p=${Number(parallelization ?? 1)}`;
  return `$scrypt$${costs}$${unpadded(saltBytes)}$${unpadded(bytes)}`;
}

function bytesOf(part: unknown): Buffer | undefined {
  const { value, encoding = 'utf8' } = isObject(part) ? part : {};
  const known = ENCODINGS.find((name) => name === encoding);
  return known && typeof value === 'string' ? Buffer.from(value, known) : undefined;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
