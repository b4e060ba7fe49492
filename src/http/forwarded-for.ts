import type { IncomingMessage, Server } from 'node:http';
import { isIP } from 'node:net';

const HEADER = 'x-forwarded-for';
/** RFC 7239 section 6.2: the name of a hop that cannot be told. */
const UNKNOWN = 'unknown';
/** `203.0.113.7:51008`, `[2001:db8::1]:443`, and both as RFC 7239 quotes them: `for="[2001:db8::1]:443";proto=https`. */
const ENTRY = /^(?:for=)?"?(?:\[([^\]"]+)\](?::\d*)?|(\d[\d.]*)(?::\d*)?|([\da-f:.]+))"?(?:;.*)?$/i;

/**
 * Reduces the entries of `X-Forwarded-For` to bare addresses before Fastify reads them. Fastify takes an entry with a port
 * for an unknown hop, so that the nearest proxy counts as the client. An entry that is no address becomes `unknown`, which
 * no proxy is: the hops before it, which anybody may have written, do not count.
 */
export function bareForwardedAddresses(server: Pick<Server, 'prependListener'>): void {
  server.prependListener('request', ({ headers }: IncomingMessage) => {
    const forwarded = headers[HEADER];
    if (typeof forwarded === 'string') {
      headers[HEADER] = bareAddresses(forwarded);
    }
  });
}

/** @returns the list with an address or `unknown` for each entry that is not empty */
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
  return isIP(address) === 0 ? UNKNOWN : address;
}
