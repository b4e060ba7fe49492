export { OAuthError, type OAuthErrorCode } from './oauth-error.js';
export { HIDES_INTERNALS, MayTellInternals } from './private-side.js';
export { isRenderedOnce, renderedOnce } from './rendered-once.js';
export { RequestState } from './request-state.js';
export {
  ContentSecurityPolicy,
  FormBody,
  OAuthErrors,
  routeConfig,
  routeOptionsOf,
  type RouteOptions,
} from './route-options.js';
