import { PERMISSIONS } from '../common/authentication/index.js';
import { Roles } from './roles.js';

const roles = new Roles({ roles: { editor: ['notes:write', 'notes:read'] } });

describe('roles', () => {
  it('allow an administrator everything', () => {
    expect(roles.allow(['admin'], [...PERMISSIONS, 'notes:write'])).toBe(true);
  });

  it('allow what any of them allows', () => {
    expect(roles.allow(['editor'], ['notes:write', 'notes:read'])).toBe(true);
    expect(roles.allow(['editor'], ['notes:write', 'users:read'])).toBe(false);
    expect(roles.allow(['editor', 'admin'], ['notes:write', 'users:read'])).toBe(true);
  });

  it.each([[[]], [['Admin']], [['user']], [['__proto__']], [['constructor', 'toString']]])(
    '%j allow nothing',
    (names) => {
      expect(roles.allow(names, ['users:read'])).toBe(false);
    },
  );

  it('leave the administrator alone', () => {
    expect(() => new Roles({ roles: { admin: ['notes:read'] } })).toThrow('cannot be another one');
  });

  it('know the permissions that they give', () => {
    expect(['users:read', 'notes:write', 'note:write'].map((one) => roles.know(one))).toEqual([
      ...[true, true, false],
    ]);
  });
});
