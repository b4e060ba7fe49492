import { ADMINISTRATOR } from '../../common/authentication/index.js';
import { PASSWORD_MAX_LENGTH, readHash } from '../../credentials/index.js';
import { areSameName, checkUsername } from '../names/username.js';
import { checkProfile } from '../profile-rules.js';
import { RefusedRecord, type ImportedPassword, type ImportedUser } from './imported-user.js';

/**
 * The rules for names and profiles apply, the rules for new passwords do not.
 *
 * @param knownRoles the roles that exist
 * @param reserved the name of BOOTSTRAP_ADMIN_USERNAME
 * @returns undefined when the user may be imported
 */
export function checkUser(
  { username, email, displayName, roles, password }: ImportedUser,
  knownRoles: readonly string[],
  reserved: string | undefined,
): RefusedRecord | undefined {
  const name = checkUsername(username);
  if (name) {
    return new RefusedRecord('invalid-username', name.code);
  }
  const isReserved = reserved !== undefined && areSameName(reserved, username);
  if (isReserved && !roles.includes(ADMINISTRATOR)) {
    return new RefusedRecord('username-taken', 'it is reserved for BOOTSTRAP_ADMIN_USERNAME');
  }
  const profile = checkProfile({ email, displayName });
  if (profile.email) {
    return new RefusedRecord('invalid-email', profile.email.code);
  }
  if (profile.displayName) {
    return new RefusedRecord('invalid-display-name', profile.displayName.code);
  }
  const isUnknown = roles.some((role) => !knownRoles.includes(role));
  return isUnknown ? new RefusedRecord('unknown-role') : checkPassword(password);
}

function checkPassword(password: ImportedPassword): RefusedRecord | undefined {
  if (password === 'none') {
    return new RefusedRecord('no-password');
  }
  if (password === 'invited') {
    return undefined;
  }
  if ('hash' in password) {
    const read = readHash(password.hash.reveal());
    return typeof read === 'string' ? new RefusedRecord(read) : undefined;
  }
  const text = password.plain.reveal();
  if (Array.from(text).length > PASSWORD_MAX_LENGTH) {
    return new RefusedRecord('invalid-password');
  }
  // Else the hash would become the password, for everybody who has seen it.
  return typeof readHash(text) === 'string' ? undefined : new RefusedRecord('password-is-a-hash');
}
