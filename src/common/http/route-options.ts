import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes } from '@nestjs/swagger';

/** What a route says about itself to the HTTP layer (`src/http`), in Fastify's `config` of the route. */
export interface RouteOptions {
  /** The header `Content-Security-Policy` of its answers. Default: nothing may be loaded, and no page may frame it. */
  readonly contentSecurityPolicy?: string;
  /** What it reads: JSON (default), or a form (`application/x-www-form-urlencoded`) and nothing else. */
  readonly body?: 'json' | 'form';
  /**
   * How its errors are answered: as problem documents (RFC 9457, default), or as `{error, error_description}` (RFC 6749
   * section 5.2).
   */
  readonly errorFormat?: 'problem' | 'oauth';
}

/** The key of the options in the `config` of a route. */
const OPTIONS = 'keyslot';

interface ConfigWithOptions {
  readonly [OPTIONS]?: RouteOptions;
}

/** For a route that is declared without a controller: `server.get(url, { config: routeConfig({ … }) }, …)`. */
export function routeConfig(options: RouteOptions): ConfigWithOptions {
  return { [OPTIONS]: options };
}

const DEFAULTS: RouteOptions = {};

/** @param config of the route; a path without a route has none */
export function routeOptionsOf(config: unknown): RouteOptions {
  return (config as ConfigWithOptions | undefined)?.[OPTIONS] ?? DEFAULTS;
}

/** Sets the content security policy of a page, for a route or all routes of a controller. */
export function ContentSecurityPolicy(policy: string): MethodDecorator & ClassDecorator {
  return withOptions({ contentSecurityPolicy: policy });
}

/**
 * The body is a form (`application/x-www-form-urlencoded`) in place of JSON, for a route or all routes of a controller. Each
 * field is a text. A repeated field is refused.
 */
export function FormBody(): MethodDecorator & ClassDecorator {
  return applyDecorators(
    withOptions({ body: 'form' }),
    ApiConsumes('application/x-www-form-urlencoded'),
  );
}

/** Errors as RFC 6749 section 5.2 has them, for a route or all routes of a controller. See OAuthError. */
export function OAuthErrors(): MethodDecorator & ClassDecorator {
  return withOptions({ errorFormat: 'oauth' });
}

/** Adds to the `@RouteConfig()` that is there. Of two values for one option, that of the method counts. */
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

/** Where `@RouteConfig()` leaves its value. */
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
