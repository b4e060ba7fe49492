import { validateHeaderValue } from 'node:http';

import type { UserPrincipal } from '../common/authentication/index.js';
import { identityHeaders } from './identity-headers.js';

const principal = (username: string, roles: readonly string[]): UserPrincipal => ({
  kind: 'user',
  userId: 'user-id',
  sessionId: 'session-id',
  tokenId: 'token-id',
  user: { username, roles } as UserPrincipal['user'],
});

describe('the headers that tell who sends a request', () => {
  it('are those of a user', () => {
    expect(identityHeaders(principal('ada', ['admin', 'orders:clerk']))).toEqual({
      'x-auth-subject': 'user-id',
      'x-auth-session': 'session-id',
      'x-auth-roles': 'admin,orders:clerk',
      'x-auth-username': 'ada',
    });
  });

  it('of a service account name neither a session nor a user', () => {
    const client = {
      kind: 'client',
      clientId: 'orders',
      tokenId: 'id',
      epoch: 0,
      expiresAtSeconds: 0,
      permissions: ['a'],
    } as const;

    expect(identityHeaders(client)).toEqual({ 'x-auth-subject': 'orders', 'x-auth-roles': '' });
  });

  it.each(['a\r\nX-Auth-Subject: b', 'a,b', '50% off', 'größe 浏览器 😀', '\u007f\u0000', ' ', ''])(
    'are valid for any name, and can be decoded: %j',
    (name) => {
      const headers = identityHeaders(principal(name, [name, 'admin']));

      for (const [header, value] of Object.entries(headers)) {
        validateHeaderValue(header, value);
        expect(value).toMatch(/^[!-~]*$/);
      }
      expect(decodeURIComponent(headers['x-auth-username']!)).toBe(name);
      const roles = headers['x-auth-roles']!.split(',');
      expect(roles.map((role) => decodeURIComponent(role))).toEqual([name, 'admin']);
    },
  );
});
