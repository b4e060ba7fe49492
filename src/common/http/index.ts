export { CLIENT_SECRET_SCHEME, METADATA_PATH } from './fixed-paths.js';
export { FORWARD_AUTH_PATH, isForwardAuth } from './forward-auth-path.js';
export { GlobalPrefix } from './global-prefix.js';
export { OAUTH_ERROR_CODES, OAuthError, type OAuthErrorCode } from './oauth-error.js';
export { HIDES_DETAILS, MayShowDetails } from './response-details.js';
export { jsonOf, serializedOnce } from './serialized-once.js';
export { RequestState } from './request-state.js';
export {
  ContentSecurityPolicy,
  FormBody,
  IgnoreBody,
  OAUTH_ERRORS_MARK,
  OAuthErrors,
  routeConfig,
  routeOptionsOf,
  type RouteOptions,
} from './route-options.js';
