import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

const handshakes = new WeakMap<object, Handshake>();

/**
 * The request that opened a WebSocket connection. It is the request of every message of the connection: the guard reads the
 * token from it and stores the principal in `user`.
 */
export class Handshake {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** Address of the other end of the connection, which may be a proxy. */
  readonly ip: string | undefined;
  user?: unknown;

  /**
   * @param token a token beside the headers, as in the `auth` of Socket.IO. A client must not send two tokens (RFC 6750 section
   * 2), so a token in both places is refused
   */
  constructor({ headers, rawHeaders, socket }: IncomingMessage, token?: unknown) {
    this.headers = headers;
    this.rawHeaders =
      token === undefined
        ? rawHeaders
        : // Not the text of another value, because it could contain a token.
          [...rawHeaders, 'authorization', `Bearer ${typeof token === 'string' ? token : '?'}`];
    this.ip = socket.remoteAddress;
  }
}

/** @param client the client of the WebSocket library, which a gateway receives */
export function handshakeOf(client: unknown): Handshake | undefined {
  return typeof client === 'object' && client !== null ? handshakes.get(client) : undefined;
}

export function rememberHandshake(client: object, handshake: Handshake): void {
  handshakes.set(client, handshake);
}
