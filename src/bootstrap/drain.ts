import type { FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

import { openConnectionsOf, REQUEST_TIMEOUT_MS, type OpenConnections } from '../http/index.js';

const SWEEP_MS = 50;
/** For answers without a stated length, and for sockets that were upgraded: they may have no end of their own. */
const STREAM_TIMEOUT_MS = 1000;

/** With its head as it was sent: `getHeader` does not know what was given to `writeHead`. */
interface SentResponse extends ServerResponse {
  readonly _header?: string | null;
}

/** What Node's HTTP server keeps in a socket: the response that it belongs to now, and the parser until an upgrade. */
interface HttpSocket extends Socket {
  readonly _httpMessage?: SentResponse | null;
  readonly parser?: unknown;
}

/**
 * Ends connections when the server closes. A connection that was busy then would be kept alive after its answer and delay
 * the shutdown, and Node does not look for slow senders any more. Requests under way are answered. Server-sent events end at
 * once, other streams and upgraded sockets after a second.
 */
export function drainWhenClosed(server: FastifyInstance, logger: Pick<Logger, 'info'>): void {
  const connections = openConnectionsOf(server);
  server.addHook('preClose', (done) => {
    const begunAt = performance.now();
    const lasting = [...connections].filter((socket) => isUpgraded(socket) || streamOf(socket));
    logger.info({ longLivedConnections: lasting.length }, 'stopping');
    const sweep = (): void => {
      server.server.closeIdleConnections();
      endLasting(connections, performance.now() - begunAt >= STREAM_TIMEOUT_MS);
    };
    sweep();
    const sweeper = setInterval(sweep, SWEEP_MS);
    const cutOff = setTimeout(() => server.server.closeAllConnections(), REQUEST_TIMEOUT_MS);
    server.server.once('close', () => {
      clearInterval(sweeper);
      clearTimeout(cutOff);
    });
    done();
  });
}

function endLasting(connections: OpenConnections, isLate: boolean): void {
  for (const socket of connections) {
    const stream = streamOf(socket);
    if (isLate && (stream || isUpgraded(socket))) {
      socket.destroy();
    } else if (stream && isEventStream(stream) && !stream.writableEnded) {
      // Its source may go on writing until it is told.
      stream.on('error', () => undefined).end(() => socket.destroySoon());
    }
  }
}

/** @returns the answer that was begun, if nothing says when it ends */
function streamOf({ _httpMessage: response }: HttpSocket): SentResponse | undefined {
  return response?._header && !/^content-length:/im.test(response._header) ? response : undefined;
}

function isEventStream({ _header: head }: SentResponse): boolean {
  return /^content-type: *text\/event-stream/im.test(head ?? '');
}

function isUpgraded({ parser }: HttpSocket): boolean {
  return parser === null;
}
