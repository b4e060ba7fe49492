export { CurrentPrincipal, CurrentUser, principalOfClient, userOnly } from './caller.decorators.js';
export {
  PERMISSION_REFUSALS,
  type PermissionRefusal,
  type PermissionRefusals,
} from './permission-refusals.js';
export {
  isPermission,
  MAX_PERMISSIONS,
  PERMISSION_MAX_LENGTH,
  PERMISSION_PATTERN,
  permissionList,
} from './permission-rules.js';
export {
  PERMISSION_PROBLEMS,
  REQUIRED_PERMISSIONS,
  RequirePermissions,
  USER_PROBLEMS,
  type Permission,
} from './permissions.js';
export type {
  AdministrationCaller,
  AuthenticatedUser,
  ClientPrincipal,
  Principal,
  UserPrincipal,
} from './principal.js';
export { IS_PUBLIC, OptionalToken, Public, type PublicAccess } from './public.decorator.js';
export { isLoginRecent, RecentLoginGuard, RequireRecentLogin } from './recent-login.guard.js';
export { ADMINISTRATOR, Roles, type Role, type RolesOptions, type RoleSource } from './roles.js';
export {
  REQUIRES_UNLIMITED_TOKEN,
  RequireUnlimitedToken,
} from './require-unlimited-token.decorator.js';
export { RouteMetadata } from './route-metadata.js';
export { WITHOUT_SECOND_FACTOR, WithoutSecondFactor } from './without-second-factor.decorator.js';
