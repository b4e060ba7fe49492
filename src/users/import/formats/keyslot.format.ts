import { isUUID } from 'class-validator';

import { Secret } from '../../../common/secret/index.js';
import { RefusedRecord, type ImportFormat } from '../imported-user.js';
import { isObject, MemberReader } from './members.js';

const MEMBERS = new Set([
  'id',
  'username',
  'email',
  'emailVerified',
  'displayName',
  'roles',
  'disabled',
  'createdAt',
  'passwordHash',
  'password',
  'invited',
]);

/** The form of `users export`: docs/operations/import-and-export.md describes it. */
export const keyslotFormat: ImportFormat = {
  name: 'keyslot',
  read: (value) => {
    if (!isObject(value)) {
      return new RefusedRecord('invalid-record', 'a record must be an object');
    }
    const members = new MemberReader(value);
    const unknown = Object.keys(value).find((name) => !MEMBERS.has(name));
    if (unknown !== undefined) {
      members.refuse(`there is no member ${JSON.stringify(unknown.slice(0, 64))}`);
    }
    const id = members.text('id')?.toLowerCase();
    const username = members.text('username');
    if (id !== undefined && !isUUID(id)) {
      members.refuse('id must be a UUID');
    }
    if (username === undefined) {
      members.refuse('username is missing');
    }
    const [hash, plain] = [members.text('passwordHash'), members.text('password')];
    if (hash !== undefined && plain !== undefined) {
      members.refuse('a record has either password or passwordHash');
    }
    const isInvited = members.flag('invited');
    if (isInvited && (hash ?? plain) !== undefined) {
      members.refuse('an invited user has no password');
    }
    const user = {
      id,
      username: username ?? '',
      email: members.text('email') ?? null,
      isEmailVerified: members.flag('emailVerified'),
      displayName: members.text('displayName') ?? null,
      roles: members.texts('roles'),
      createdAt: members.time('createdAt'),
      isDisabled: members.flag('disabled'),
      password: isInvited ? ('invited' as const) : passwordOf(hash, plain),
    };
    return members.refusal ?? user;
  },
};

function passwordOf(hash: string | undefined, plain: string | undefined) {
  if (hash !== undefined) {
    return { hash: new Secret(hash) };
  }
  return plain === undefined ? ('none' as const) : { plain: new Secret(plain) };
}
