import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes, ApiExtension } from '@nestjs/swagger';

/** Options of a route for the HTTP layer (`src/http`), stored in Fastify's `config` of the route. */
export interface RouteOptions {
  /** The header `Content-Security-Policy` of its responses. Default: no loading and no framing. */
  readonly contentSecurityPolicy?: string;
  /**
   * The only body format that it accepts: JSON (default), or a form (`application/x-www-form-urlencoded`). `ignored`: any body,
   * which is discarded.
   */
  readonly body?: 'json' | 'form' | 'ignored';
  /** Format of its errors: problem documents (RFC 9457, default), or `{error, error_description}` (RFC 6749 section 5.2). */
  readonly errorFormat?: 'problem' | 'oauth';
}

const OPTIONS = 'keyslot';

interface ConfigWithOptions {
  readonly [OPTIONS]?: RouteOptions;
}

/** For a route that is declared without a controller: `server.get(url, { config: routeConfig({ … }) }, …)`. */
export function routeConfig(options: RouteOptions): ConfigWithOptions {
  return { [OPTIONS]: options };
}

const DEFAULTS: RouteOptions = {};

/** @param config of the route; undefined for an unknown path */
export function routeOptionsOf(config: unknown): RouteOptions {
  return (config as ConfigWithOptions | undefined)?.[OPTIONS] ?? DEFAULTS;
}

/** Sets the content security policy of a page, for a route or all routes of a controller. */
export function ContentSecurityPolicy(policy: string): MethodDecorator & ClassDecorator {
  return withOptions({ contentSecurityPolicy: policy });
}

/**
 * Accepts a form (`application/x-www-form-urlencoded`) instead of JSON, for a route or all routes of a controller. Each field
 * is a string. A repeated field is refused.
 */
export function FormBody(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    withOptions({ body: 'form' }),
    ApiConsumes('application/x-www-form-urlencoded'),
  );
}

/**
 * Discards the body without reading it, whatever its format and size, for a route or all routes of a controller. The response
 * does not wait for it.
 */
export function IgnoreBody(): MethodDecorator & ClassDecorator {
  return withOptions({ body: 'ignored' });
}

/** Marks the operations of routes with `@OAuthErrors()` until their errors are documented. */
export const OAUTH_ERRORS_MARK = 'x-oauth-errors';

/** Formats errors as RFC 6749 section 5.2, for a route or all routes of a controller. See OAuthError. */
export function OAuthErrors(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    withOptions({ errorFormat: 'oauth' }),
    ApiExtension(OAUTH_ERRORS_MARK, true),
  );
}

/** Merges into an existing `@RouteConfig()`. An option of the method overrides that of the class. */
function withOptions(options: RouteOptions): MethodDecorator & ClassDecorator {
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (descriptor && name !== undefined) {
      addOptions(target, name, descriptor, (present) => ({ ...present, ...options }));
      return;
    }
    const prototype = (target as { readonly prototype: object }).prototype;
    for (const [member, own] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (member !== 'constructor' && typeof own.value === 'function') {
        addOptions(prototype, member, own, (present) => ({ ...options, ...present }));
      }
    }
  };
}

/** The metadata key of `@RouteConfig()`. */
const { KEY: ROUTE_CONFIG } = RouteConfig({});

function addOptions(
  target: object,
  name: string | symbol,
  descriptor: PropertyDescriptor,
  merge: (present: RouteOptions) => RouteOptions,
): void {
  const config = Reflect.getMetadata(ROUTE_CONFIG, descriptor.value as object) as unknown;
  const present = routeOptionsOf(config);
  RouteConfig({ ...(config as object), ...routeConfig(merge(present)) })(target, name, descriptor);
}
