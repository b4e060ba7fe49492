import type { Principal } from '../common/authentication/index.js';

/** Characters that a header or its list cannot contain, and the percent sign, which marks an encoded character. */
const NOT_IN_LIST = /[^!-$&-+\--~]/gu;

/** The headers that tell a service who sends a request. All values are visible ASCII. */
export function identityHeaders(principal: Principal): Record<string, string> {
  if (principal.kind === 'client') {
    return { 'x-auth-subject': principal.clientId, 'x-auth-roles': '' };
  }
  const { username, roles } = principal.user;
  return {
    'x-auth-subject': principal.userId,
    'x-auth-session': principal.sessionId,
    // A service that decides by the roles would ignore the scope.
    'x-auth-roles': principal.scope ? '' : roles.map(listItem).join(','),
    'x-auth-username': encodeURIComponent(username),
  };
}

function listItem(role: string): string {
  return role.replace(NOT_IN_LIST, encodeURIComponent);
}
