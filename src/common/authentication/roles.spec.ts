import { PERMISSIONS } from './permissions.js';
import type { ClientPrincipal, UserPrincipal } from './principal.js';
import { Roles } from './roles.js';

const roles = new Roles({ roles: { editor: ['notes:write', 'notes:read'] } });

describe('roles', () => {
  it('allow an administrator everything, also what no role grants', () => {
    expect(roles.grant(['admin'], [...PERMISSIONS, 'notes:write'])).toBe(true);
    expect(roles.grant(['admin'], ['unheard:of'])).toBe(true);
    expect(roles.grant(['editor'], ['unheard:of'])).toBe(false);
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

    const exceeding = (names: string[], of = some): readonly string[] =>
      of.rolesBeyond(of.grantedBy(names));
    expect(exceeding([])).toEqual(['reader', 'support', 'all', 'admin']);
    expect(exceeding(['reader'])).toEqual(['support', 'all', 'admin']);
    expect(exceeding(['support'])).toEqual(['all', 'admin']);
    expect(exceeding(['all'])).toEqual(['admin']);
    expect(exceeding(['admin'])).toEqual([]);
    expect(exceeding(['gone', '__proto__', 'Admin'])).toEqual(exceeding([]));
    expect(some.rolesBeyond(['users:read'])).toEqual(['support', 'all', 'admin']);
    expect(some.rolesBeyond([...PERMISSIONS])).toEqual(['admin']);
    const split = new Roles({ roles: { a: ['x'], b: ['y'], c: ['x', 'y'] } });
    expect(exceeding(['a', 'b'], split)).toEqual(['admin']);
  });

  it('do not redefine the administrator', () => {
    expect(() => new Roles({ roles: { admin: ['notes:read'] } })).toThrow('cannot be redefined');
  });

  it('of the cluster replace roles of the code, but not the administrator', () => {
    const both = new Roles(
      { roles: { editor: ['notes:write'], reader: ['notes:read'] } },
      new Map([
        ['editor', ['notes:read']],
        ['clerk', ['orders:write', 'orders:read']],
        ['admin', ['notes:read']],
      ]),
      new Set(['clerk']),
    );

    expect(both.grant(['editor'], ['notes:write'])).toBe(false);
    expect(both.grant(['editor', 'clerk'], ['notes:read', 'orders:write'])).toBe(true);
    expect(both.grant(['admin'], ['orders:write'])).toBe(true);
    expect(both.rolesBeyond(both.grantedBy(['editor']))).toEqual(['clerk', 'admin']);
    expect(both.list).toEqual([
      {
        name: 'admin',
        permissions: [...PERMISSIONS, 'notes:read', 'orders:read', 'orders:write'].sort(),
        requireSecondFactor: false,
        source: 'built-in',
      },
      {
        name: 'clerk',
        permissions: ['orders:read', 'orders:write'],
        requireSecondFactor: true,
        source: 'stored',
      },
      {
        name: 'editor',
        permissions: ['notes:read'],
        requireSecondFactor: false,
        source: 'stored',
      },
      {
        name: 'reader',
        permissions: ['notes:read'],
        requireSecondFactor: false,
        source: 'code',
      },
    ]);
    expect(both.find('reader')).toEqual(both.list[3]);
    expect(both.find('__proto__')).toBeUndefined();
    expect(both.requireSecondFactor(['editor', 'clerk'])).toBe(true);
    expect(both.requireSecondFactor(['editor', 'admin', '__proto__'])).toBe(false);
  });

  it('grant permissions together; admin grants every permission', () => {
    const some = new Roles({ roles: { reader: ['b', 'a'], writer: ['c', 'a'] } });

    expect(some.grantedBy(['writer', 'reader', 'gone', '__proto__'])).toEqual(['a', 'b', 'c']);
    expect(some.grantedBy([])).toEqual([]);
    expect(some.grantedBy(['reader', 'admin'])).toBeUndefined();
  });

  it('tell what a caller may do: its permissions, or those of its roles, within the scope of its token', () => {
    const user = (names: string[], scope?: string[]): UserPrincipal =>
      ({
        kind: 'user',
        user: { roles: names },
        ...(scope ? { scope: new Set(scope) } : {}),
      }) as unknown as UserPrincipal;
    const client = { kind: 'client', permissions: ['a'] } as unknown as ClientPrincipal;

    expect(roles.allowedTo(client)).toEqual(['a']);
    expect(roles.allowedTo(user(['editor']))).toEqual(['notes:read', 'notes:write']);
    expect(roles.allowedTo(user(['editor'], ['notes:read', 'x']))).toEqual(['notes:read']);
    expect(roles.allowedTo(user(['editor'], ['']))).toEqual([]);
    expect(roles.allowedTo(user(['admin']))).toBeUndefined();
    expect(roles.allowedTo(user(['admin'], ['notes:read', 'x']))).toEqual(['notes:read', 'x']);
  });

  it('return the permissions that they grant', () => {
    expect(
      ['users:read', 'notes:write', 'note:write'].map((one) => roles.isKnownPermission(one)),
    ).toEqual([true, true, false]);
  });
});
