export { CurrentUser } from './current-user.decorator.js';
export {
  PERMISSION_PROBLEMS,
  PERMISSIONS,
  REQUIRED_PERMISSIONS,
  RequirePermissions,
  type Permission,
} from './permissions.js';
export type { AuthenticatedUser, Principal } from './principal.js';
export { IS_PUBLIC, Public } from './public.decorator.js';
export { RouteMetadata } from './route-metadata.js';
