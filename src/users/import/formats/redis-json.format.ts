import { Secret } from '../../../common/secret/index.js';
import { RefusedRecord, type ImportFormat } from '../imported-user.js';
import { isObject } from './members.js';

/** The value of a Redis key: a JSON object with `username` and the plain `password`. Other members are not imported. */
export const redisJsonFormat: ImportFormat = {
  name: 'redis-json',
  read: (value) => {
    const { username, password } = isObject(value) ? value : {};
    return typeof username === 'string' && typeof password === 'string' && username !== ''
      ? {
          username,
          email: null,
          displayName: null,
          roles: [],
          isDisabled: false,
          password: password === '' ? 'none' : { plain: new Secret(password) },
        }
      : new RefusedRecord('invalid-record', 'the value is no JSON with username and password');
  },
};
