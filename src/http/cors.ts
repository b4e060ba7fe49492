import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

import { isForwardAuth } from '../common/http/index.js';

/** How long a browser may cache a preflight. Chromium allows at most two hours. */
const PREFLIGHT_SECONDS = 600;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** Headers that the API itself reads. */
const REQUEST_HEADERS = ['Authorization', 'Content-Type', 'Accept-Language'];
const EXPOSED_HEADERS = ['Location', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'];
/** The Origin field in the raw bytes of a request that Node could not parse. */
const ORIGIN_FIELD = /\r\norigin:[ \t]*([^\s]+)[ \t]*\r\n/i;

/**
 * Which pages may call the API (OWASP HTML5 Security Cheat Sheet). Pages send tokens in a header, so cookies and other
 * credentials of the browser are never allowed.
 */
export class CrossOriginRules {
  private readonly requestHeaders: readonly string[];

  /**
   * @param origins compared exactly; empty: responses have no CORS headers
   * @param headers that pages may send in addition to those that the API reads
   */
  constructor(
    private readonly origins: readonly string[],
    headers: readonly string[],
  ) {
    this.requestHeaders = [...REQUEST_HEADERS, ...headers];
  }

  /** Adds the headers to every response from the first hook on. */
  async apply(server: FastifyInstance): Promise<void> {
    if (this.origins.length === 0) {
      return;
    }
    await server.register(cors, {
      // A function, so that every response has `Vary: Origin`, and responses to other origins have no other CORS header.
      origin: (origin, done) => done(null, this.allowed(origin) ?? false),
      credentials: false,
      exposedHeaders: EXPOSED_HEADERS,
      // Answered below. The plugin would answer a preflight for forward auth, too, and without strict checks any OPTIONS.
      preflight: false,
    });
    server.addHook('onRequest', (request, reply, done) => {
      const preflight = request.method === 'OPTIONS' ? this.preflight(request) : undefined;
      if (preflight) {
        void reply.status(204).headers(preflight).send();
      } else {
        done();
      }
    });
  }

  /** Headers of a response that is sent before any hook runs, so that the page can read it. */
  earlyHeaders(origin: string | undefined): Record<string, string> {
    if (this.origins.length === 0) {
      return {};
    }
    const allowed = this.allowed(origin);
    return {
      vary: 'Origin',
      ...(allowed === undefined
        ? {}
        : {
            'access-control-allow-origin': allowed,
            'access-control-expose-headers': EXPOSED_HEADERS.join(', '),
          }),
    };
  }

  /**
   * The same for a request that could not be parsed. The `Origin` is searched in the bytes that were read last. A wrong guess
   * is harmless: only listed origins are sent back, and the browser compares the value with the page's origin.
   */
  unparsedHeaders(bytes: unknown): Record<string, string> {
    const text = Buffer.isBuffer(bytes) ? bytes.toString('latin1') : '';
    const origin = ORIGIN_FIELD.exec(text)?.[1];
    return this.earlyHeaders(origin ?? (this.origins.length === 1 ? this.origins[0] : undefined));
  }

  /**
   * The headers of the response to a preflight. A preflight is also answered when the request itself will be refused before
   * any hook: otherwise the browser does not send the request, and the page cannot read the reason.
   *
   * @returns undefined when it is not a preflight of an allowed page, or when a proxy asks about it by forward auth
   */
  preflight({
    method,
    url,
    headers,
  }: Pick<FastifyRequest, 'method' | 'url' | 'headers'>): Record<string, string> | undefined {
    const isPreflight =
      method === 'OPTIONS' && headers['access-control-request-method'] && !isForwardAuth(url);
    return isPreflight && this.allowed(headers.origin) !== undefined
      ? {
          'access-control-allow-methods': METHODS.join(', '),
          'access-control-allow-headers': this.requestHeaders.join(', '),
          'access-control-max-age': String(PREFLIGHT_SECONDS),
        }
      : undefined;
  }

  private allowed(origin: string | undefined): string | undefined {
    return origin !== undefined && this.origins.includes(origin) ? origin : undefined;
  }
}
