import { PERMISSIONS } from '../common/authentication/index.js';
import { allow } from './roles.js';

describe('roles', () => {
  it('allow an administrator everything', () => {
    expect(allow(['admin'], PERMISSIONS)).toBe(true);
  });

  it.each([[[]], [['Admin']], [['user']], [['__proto__']], [['constructor', 'toString']]])(
    '%j allow nothing',
    (roles) => {
      expect(allow(roles, ['users:read'])).toBe(false);
    },
  );
});
