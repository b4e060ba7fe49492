import { PERMISSIONS } from './permissions.js';
import { Roles } from './roles.js';

const roles = new Roles({ roles: { editor: ['notes:write', 'notes:read'] } });

describe('roles', () => {
  it('allow an administrator everything', () => {
    expect(roles.grant(['admin'], [...PERMISSIONS, 'notes:write'])).toBe(true);
  });

  it('allow the union of their permissions', () => {
    expect(roles.grant(['editor'], ['notes:write', 'notes:read'])).toBe(true);
    expect(roles.grant(['editor'], ['notes:write', 'users:read'])).toBe(false);
    expect(roles.grant(['editor', 'admin'], ['notes:write', 'users:read'])).toBe(true);
  });

  it.each([[[]], [['Admin']], [['user']], [['__proto__']], [['constructor', 'toString']]])(
    '%j allow nothing',
    (names) => {
      expect(roles.grant(names, ['users:read'])).toBe(false);
    },
  );

  it('exceed roles that lack one of their permissions; admin exceeds all others', () => {
    const some = new Roles({
      roles: {
        reader: ['users:read'],
        support: ['users:read', 'users:write'],
        none: [],
        all: PERMISSIONS,
      },
    });

    expect(some.rolesExceeding([])).toEqual(['reader', 'support', 'all', 'admin']);
    expect(some.rolesExceeding(['reader'])).toEqual(['support', 'all', 'admin']);
    expect(some.rolesExceeding(['support'])).toEqual(['all', 'admin']);
    expect(some.rolesExceeding(['all'])).toEqual(['admin']);
    expect(some.rolesExceeding(['admin'])).toEqual([]);
    expect(some.rolesExceeding(['gone', '__proto__', 'Admin'])).toEqual(some.rolesExceeding([]));
    const split = new Roles({ roles: { a: ['x'], b: ['y'], c: ['x', 'y'] } });
    expect(split.rolesExceeding(['a', 'b'])).toEqual(['admin']);
  });

  it('do not redefine the administrator', () => {
    expect(() => new Roles({ roles: { admin: ['notes:read'] } })).toThrow('cannot be redefined');
  });

  it('return the permissions that they grant', () => {
    expect(
      ['users:read', 'notes:write', 'note:write'].map((one) => roles.isKnownPermission(one)),
    ).toEqual([true, true, false]);
  });
});
