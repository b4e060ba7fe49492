import type { Permission } from '../common/authentication/index.js';

const NONE: readonly Permission[] = [];
/** Where the target of another request begins, which a proxy has appended: it always begins with a slash. */
const APPENDED_TARGET = /(?:^|&)\//;

/**
 * Reads the parameters `permission` of a request target. Unknown parameters are ignored, because they may belong to the request
 * that the proxy asks about. So is everything from a parameter that begins with a slash.
 */
export function requiredPermissions(target: string): readonly Permission[] {
  const start = target.indexOf('?');
  if (start < 0) {
    return NONE;
  }
  const query = target.slice(start + 1);
  const end = query.search(APPENDED_TARGET);
  return new URLSearchParams(end < 0 ? query : query.slice(0, end)).getAll('permission');
}
