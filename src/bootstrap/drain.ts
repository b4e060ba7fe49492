import type { FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

import { openConnectionsOf, REQUEST_TIMEOUT_MS, type OpenConnections } from '../http/index.js';

const SWEEP_INTERVAL_MS = 50;
/** Time for streams and upgraded sockets, which may never end by themselves. */
const STREAM_TIMEOUT_MS = 1000;

/** `_header` is the head as it was sent. `getHeader` does not return headers that were passed to `writeHead`. */
interface SentResponse extends ServerResponse {
  readonly _header?: string | null;
}

/** Undocumented properties that Node sets on a socket: the current response, and the parser, which is null after an upgrade. */
interface HttpSocket extends Socket {
  readonly _httpMessage?: SentResponse | null;
  readonly parser?: unknown;
}

/**
 * Closes connections when the server closes. Otherwise a busy connection stays alive after its response and delays the
 * shutdown, and Node no longer checks request timeouts. Requests in progress are answered. Server-sent events end at once,
 * other streams and upgraded sockets after a second.
 */
export function drainWhenClosed(server: FastifyInstance, logger: Pick<Logger, 'info'>): void {
  const connections = openConnectionsOf(server);
  server.addHook('preClose', (done) => {
    const startedAt = performance.now();
    const longLived = [...connections].filter((socket) => isUpgraded(socket) || streamOf(socket));
    logger.info({ longLivedConnections: longLived.length }, 'stopping');
    const sweep = (): void => {
      server.server.closeIdleConnections();
      endLongLived(connections, performance.now() - startedAt >= STREAM_TIMEOUT_MS);
    };
    sweep();
    const sweeper = setInterval(sweep, SWEEP_INTERVAL_MS);
    const cutOff = setTimeout(() => server.server.closeAllConnections(), REQUEST_TIMEOUT_MS);
    server.server.once('close', () => {
      clearInterval(sweeper);
      clearTimeout(cutOff);
    });
    done();
  });
}

function endLongLived(connections: OpenConnections, isTimedOut: boolean): void {
  for (const socket of connections) {
    const stream = streamOf(socket);
    if (isTimedOut && (stream || isUpgraded(socket))) {
      socket.destroy();
    } else if (stream && isEventStream(stream) && !stream.writableEnded) {
      // The source may write after the end until it notices, which raises an error.
      stream.on('error', () => undefined).end(() => socket.destroySoon());
    }
  }
}

/** @returns the current response, if its head was sent without a Content-Length */
function streamOf({ _httpMessage: response }: HttpSocket): SentResponse | undefined {
  return response?._header && !/^content-length:/im.test(response._header) ? response : undefined;
}

function isEventStream({ _header: head }: SentResponse): boolean {
  return /^content-type: *text\/event-stream/im.test(head ?? '');
}

function isUpgraded({ parser }: HttpSocket): boolean {
  return parser === null;
}
