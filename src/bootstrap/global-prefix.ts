import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Where probes, scrapers, verifiers of tokens and readers of problems look, whatever the prefix of the API is. */
const WITHOUT_PREFIX = [
  'health/live',
  'health/ready',
  'metrics',
  'problems',
  'problems/:code',
  '.well-known/jwks.json',
];

const prefixOf = new WeakMap<NestFastifyApplication, string>();

/** Keeps these routes where they are when the application sets a global prefix. */
export function keepFixedRoutes(app: NestFastifyApplication): void {
  const prototype = Object.getPrototypeOf(app) as NestFastifyApplication;
  const replacement: typeof app.setGlobalPrefix = (prefix, options = {}) => {
    prefixOf.set(app, `/${prefix.replace(/^\/+|\/+$/g, '')}`);
    prototype.setGlobalPrefix.call(app, prefix, {
      ...options,
      exclude: [...WITHOUT_PREFIX, ...(options.exclude ?? [])],
    });
    return app;
  };
  // Nest's proxy around the application ignores an assignment, and looks a method up when it is called.
  Object.defineProperty(app, 'setGlobalPrefix', { value: replacement, configurable: true });
}

/** @returns the global prefix with a slash before it, or nothing */
export function globalPrefix(app: NestFastifyApplication): string {
  return prefixOf.get(app) ?? '';
}
