export { FORWARD_AUTH_PATH, isForwardAuth } from './forward-auth-path.js';
export { OAuthError, type OAuthErrorCode } from './oauth-error.js';
export { HIDES_DETAILS, MayShowDetails } from './response-details.js';
export { isSerializedOnce, serializedOnce } from './serialized-once.js';
export { RequestState } from './request-state.js';
export {
  ContentSecurityPolicy,
  FormBody,
  IgnoreBody,
  OAuthErrors,
  routeConfig,
  routeOptionsOf,
  type RouteOptions,
} from './route-options.js';
