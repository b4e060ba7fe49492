import type { IncomingMessage, Server } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

import { normalAddress } from '../common/network/index.js';

const HEADER = 'x-forwarded-for';
/** RFC 7239 section 6.2: a hop whose address is not known. */
const UNKNOWN = 'unknown';
/** `203.0.113.7:51008`, `[2001:db8::1]:443`, and both as RFC 7239 quotes them: `for="[2001:db8::1]:443";proto=https`. */
const ENTRY =
  /^(?:for=)?"?(?:\[([^\]"]+)\](?::\d*)?|(\d[\d.]*)(?::\d*)?|([\da-f:.]+(?:%[\w.~-]+)?))"?(?:;.*)?$/i;

/**
 * Normalizes client addresses where they enter, once per connection and per `X-Forwarded-For` header. Logs, limits, sessions
 * and modules of the application then all see the same text.
 *
 * Ports are removed: Fastify treats an entry with a port as an unknown hop and takes the nearest proxy for the client. An
 * entry that is not an address becomes `unknown`. No trusted proxy has that name, so the hops before it, which a client can
 * forge, are ignored.
 *
 * @param hasProxies whether the header of some proxies is trusted
 */
export function normalizeAddresses(
  server: Pick<Server, 'prependListener'>,
  hasProxies: boolean,
): void {
  server.prependListener(
    server instanceof TlsServer ? 'secureConnection' : 'connection',
    (socket: Socket) => {
      const { remoteAddress = '' } = socket;
      const value = normalAddress(remoteAddress);
      // Shadows the getter of the prototype, only for sockets whose address is not normalized.
      if (value !== remoteAddress) {
        Object.defineProperty(socket, 'remoteAddress', { value });
      }
    },
  );
  if (hasProxies) {
    server.prependListener('request', ({ headers }: IncomingMessage) => {
      const forwarded = headers[HEADER];
      if (typeof forwarded === 'string') {
        headers[HEADER] = bareAddresses(forwarded);
      }
    });
  }
}

/** @returns the list with a normal address or `unknown` for each entry that is not empty */
export function bareAddresses(list: string): string {
  return list
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map(bareAddress)
    .join(', ');
}

function bareAddress(entry: string): string {
  const [, bracketed, v4, v6] = ENTRY.exec(entry) ?? [];
  const address = bracketed ?? v4 ?? v6 ?? '';
  return isIP(address) === 0 ? UNKNOWN : normalAddress(address);
}
