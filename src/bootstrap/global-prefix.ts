import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { FORWARD_AUTH_PATH, GlobalPrefix, METADATA_PATH } from '../common/http/index.js';

/** Routes at fixed paths that probes, scrapers, token verifiers, proxies and problem links rely on. The global prefix does not apply. */
const WITHOUT_PREFIX = [
  'health/live',
  'health/ready',
  'metrics',
  'account/reset-password',
  'account/verify-email',
  'account/account-page.js',
  'console/session',
  'console/session/refresh',
  'problems',
  'problems/:code',
  '.well-known/jwks.json',
  METADATA_PATH,
  `${METADATA_PATH}/*path`,
  'oauth/token',
  'oauth/introspect',
  'oauth/revoke',
  FORWARD_AUTH_PATH,
  `${FORWARD_AUTH_PATH}/*path`,
];

/** Excludes these routes when the application sets a global prefix. */
export function keepFixedRoutes(app: NestFastifyApplication): void {
  const prototype = Object.getPrototypeOf(app) as NestFastifyApplication;
  const replacement: typeof app.setGlobalPrefix = (prefix, options = {}) => {
    const path = prefix.replace(/^\/+|\/+$/g, '');
    app.get(GlobalPrefix).path = path === '' ? '' : `/${path}`;
    prototype.setGlobalPrefix.call(app, prefix, {
      ...options,
      exclude: [...WITHOUT_PREFIX, ...(options.exclude ?? [])],
    });
    return app;
  };
  // Nest's proxy around the application ignores assignments, but looks methods up at each call.
  Object.defineProperty(app, 'setGlobalPrefix', { value: replacement, configurable: true });
}

/** @returns the global prefix with a slash before it, or nothing */
export function globalPrefix(app: NestFastifyApplication): string {
  return app.get(GlobalPrefix).path;
}
