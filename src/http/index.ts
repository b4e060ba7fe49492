export { openConnectionsOf, type OpenConnections } from './connection-limits.js';
export { CrossOriginRules } from './cors.js';
export { REQUEST_TIMEOUT_MS } from './limits.js';
export { ALWAYS_SERVED } from './load-shedding.js';
export { MANAGEMENT_ROUTES, managementListenerOf } from './management.js';
export { addHttpPlugins, type HttpOptions } from './plugins.js';
export { ProblemFilter } from './problem.filter.js';
export { serverOptions } from './server-options.js';
export { VaryHeaderAdapter } from './vary-header-adapter.js';
