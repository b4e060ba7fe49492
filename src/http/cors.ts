import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** How long a browser need not ask again. Chromium keeps it for two hours at most. */
const PREFLIGHT_SECONDS = 600;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** What the API itself reads. */
const REQUEST_HEADERS = ['Authorization', 'Content-Type', 'Accept-Language'];
const EXPOSED_HEADERS = ['Location', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'];
/** A field of a request whose head Node could not read. */
const ORIGIN_FIELD = /\r\norigin:[ \t]*([^\s]+)[ \t]*\r\n/i;

/**
 * Which pages may call the API (OWASP HTML5 Security Cheat Sheet). Tokens travel in a header that the page sets, so no
 * browser is ever told to send what it keeps for us: credentials stay off.
 */
export class CrossOriginRules {
  private readonly requestHeaders: readonly string[];

  /**
   * @param origins compared letter by letter; none: no answer has a header about it
   * @param headers that pages may send besides those that the API itself reads
   */
  constructor(
    private readonly origins: readonly string[],
    headers: readonly string[],
  ) {
    this.requestHeaders = [...REQUEST_HEADERS, ...headers];
  }

  /** On every answer that comes after the first hook. */
  async apply(server: FastifyInstance): Promise<void> {
    if (this.origins.length === 0) {
      return;
    }
    await server.register(cors, {
      // A function, so that every answer has `Vary: Origin`, and one to a stranger nothing else.
      origin: (origin, done) => done(null, this.allowed(origin) ?? false),
      credentials: false,
      methods: METHODS,
      allowedHeaders: [...this.requestHeaders],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_SECONDS,
      // It would answer with a text of its own.
      strictPreflight: false,
    });
  }

  /** For an answer that is sent before any hook, so that the page that sent the request can read it. */
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
   * The same for a request that could not be parsed: its `Origin` is in the bytes that were read last, or nobody knows it.
   * A wrong one does no harm, because only an origin that is listed is answered, and a browser compares it with the page's.
   */
  unparsedHeaders(bytes: unknown): Record<string, string> {
    const text = Buffer.isBuffer(bytes) ? bytes.toString('latin1') : '';
    const origin = ORIGIN_FIELD.exec(text)?.[1];
    return this.earlyHeaders(origin ?? (this.origins.length === 1 ? this.origins[0] : undefined));
  }

  /**
   * What answers the preflight of a request that is refused early. Without it the browser would not send the request, and
   * the page would not see why.
   *
   * @returns undefined when it is no preflight of a page that may call
   */
  earlyPreflight(
    method: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): Record<string, string> | undefined {
    const isAllowed = this.allowed(headers['origin'] as string | undefined) !== undefined;
    return method === 'OPTIONS' && isAllowed && headers['access-control-request-method']
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
