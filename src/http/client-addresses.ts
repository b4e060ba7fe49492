import type { IncomingMessage, Server } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

import { normalAddress } from '../common/network/index.js';

const HEADER = 'x-forwarded-for';
/** RFC 7239 section 6.2: the name of a hop that cannot be told. */
const UNKNOWN = 'unknown';
/** `203.0.113.7:51008`, `[2001:db8::1]:443`, and both as RFC 7239 quotes them: `for="[2001:db8::1]:443";proto=https`. */
const ENTRY =
  /^(?:for=)?"?(?:\[([^\]"]+)\](?::\d*)?|(\d[\d.]*)(?::\d*)?|([\da-f:.]+(?:%[\w.~-]+)?))"?(?:;.*)?$/i;

/**
 * Gives every address of a client its normal form where it comes in, so that all that shows, logs or counts one, modules of
 * an application too, sees the same text. Once for each connection, and for each `X-Forwarded-For`.
 *
 * Fastify takes an entry of that header with a port for an unknown hop, so that the nearest proxy counts as the client. An
 * entry that is no address becomes `unknown`, which no proxy is: the hops before it, which anybody may have written, do not
 * count.
 *
 * @param hasProxies whether the header of some proxies is believed
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
      // Over the getter of all sockets, for the few whose address is written in another form.
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
