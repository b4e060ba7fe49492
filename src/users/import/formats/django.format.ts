import { Secret } from '../../../common/secret/index.js';
import { RefusedRecord, type ImportFormat } from '../imported-user.js';
import { fullName, isObject, MemberReader } from './members.js';

/** Django marks users who cannot log in with a password: `UNUSABLE_PASSWORD_PREFIX`. */
const UNUSABLE = '!';

/**
 * Users in `manage.py dumpdata`, of `auth.user` and of other models with a name and a password. Objects of other models are
 * ignored. Groups, permissions and the flags for staff and superusers are not imported.
 */
export const djangoFormat: ImportFormat = {
  name: 'django',
  read: (value) => {
    const fields = isObject(value) ? value['fields'] : undefined;
    if (!isObject(value) || typeof value['model'] !== 'string' || !isObject(fields)) {
      return new RefusedRecord('invalid-record', 'a record must have a model and fields');
    }
    if (fields['password'] === undefined || (!fields['username'] && !fields['email'])) {
      return 'ignored';
    }
    const members = new MemberReader(fields);
    const [username, email] = [members.text('username'), members.text('email')];
    const hash = members.text('password');
    const user = {
      sourceId: JSON.stringify([value['model'], value['pk']]),
      username: username ?? email ?? '',
      email: email ?? null,
      displayName: fullName(members.text('first_name'), members.text('last_name')),
      roles: [],
      createdAt: members.time('date_joined'),
      isDisabled: !members.flag('is_active', true),
      password:
        hash === undefined || hash.startsWith(UNUSABLE)
          ? ('none' as const)
          : { hash: new Secret(hash) },
    };
    return members.refusal ?? user;
  },
};
