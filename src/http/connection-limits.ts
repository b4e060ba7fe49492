import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** Requests of one connection that wait behind another one. */
  readonly maxPipelined: number;
  /** Requests, over all connections, that wait behind another one of their connection. */
  readonly maxWaitingRequests: number;
  /** Bytes of answers, over all connections, that clients have not read yet. */
  readonly maxUnreadBytes: number;
  /** How long a client may leave some part of its answers unread. */
  readonly readTimeoutMs: number;
  readonly sweepMs: number;
}

export type OpenConnections = Iterable<Socket>;

const LIMITS: ConnectionLimits = {
  // 3 KB each. Clients that pipeline send some tens. Node parses up to 3,600 in one read.
  maxPipelined: 100,
  maxWaitingRequests: 1000,
  maxUnreadBytes: 32 * 1024 * 1024,
  readTimeoutMs: 60_000,
  sweepMs: 1000,
};

const OPEN_CONNECTIONS = Symbol('openConnections');

/** Limits the connections of the public port. */
export function limitPublicConnections(server: FastifyInstance): void {
  server.decorate(OPEN_CONNECTIONS, limitConnections(server.server));
}

/** The connections of the public port that are open, always up to date. */
export function openConnectionsOf(server: FastifyInstance): OpenConnections {
  return (server as { [OPEN_CONNECTIONS]?: OpenConnections })[OPEN_CONNECTIONS] ?? [];
}

/**
 * Bounds what clients cost that ask for much and read nothing. Node begins all pipelined requests that it has read and
 * keeps their answers in memory. Here a request begins when the answer before it has left for the operating system, and a
 * connection with waiting requests is not read from. The connection closes after the answer to the last request that may
 * wait, and that answer says `Connection: close` (RFC 9112 section 9.3.2: answers are in order, and a client has to expect
 * that a connection closes before all are answered).
 *
 * A request without others before it costs one comparison more.
 *
 * @param server with its request listener
 * @returns the connections that are open, always up to date
 */
export function limitConnections(
  server: Server,
  limits: Partial<ConnectionLimits> = {},
): OpenConnections {
  const { maxPipelined, maxWaitingRequests, ...unreadLimits } = { ...LIMITS, ...limits };
  const waiting = new WaitingRequests(maxPipelined, maxWaitingRequests);
  const [listener] = server.listeners('request') as RequestListener[];
  if (!listener) {
    throw new Error('a server without a request listener has nothing to limit');
  }
  server.off('request', listener).on('request', (request, response) => {
    // Node gives the connection to one response at a time.
    if (response.socket === null) {
      waiting.add(request.socket, response, () => listener(request, response));
    } else {
      listener(request, response);
    }
  });
  return closeUnreadConnections(server, unreadLimits);
}

interface Line {
  count: number;
  /** Stops the waiting of all its requests. */
  readonly end: () => void;
}

/** Pipelined requests that have been read and not begun. */
class WaitingRequests {
  private readonly lines = new Map<Socket, Line>();
  private total = 0;

  constructor(
    private readonly maxOfOne: number,
    private readonly max: number,
  ) {}

  add(socket: Socket, response: ServerResponse, begin: () => void): void {
    if (socket.destroyed) {
      return; // Node goes on with what it has read
    }
    const line = this.lines.get(socket) ?? this.begin(socket);
    line.count += 1;
    this.total += 1;
    const isLast = line.count >= this.maxOfOne;
    if (isLast) {
      response.shouldKeepAlive = false;
      stopParsing(socket);
    }
    response.once('socket', () => {
      this.total -= 1;
      line.count -= 1;
      if (line.count === 0) {
        line.end();
        socket.resume();
      }
      // Not at once: answers that leave at once would follow each other in one turn of the event loop, and nobody else
      // would be served. And Node has to finish giving the connection to the response.
      setImmediate(() => (socket.destroyed ? undefined : begin()));
    });
    if (this.total > this.max) {
      this.closeLongest();
    }
  }

  private begin(socket: Socket): Line {
    const end = (): void => {
      this.total -= line.count;
      line.count = 0;
      this.lines.delete(socket);
      socket.off('close', end).off('resume', pause);
    };
    const line = { count: 0, end };
    this.lines.set(socket, line);
    socket.once('close', end).on('resume', pause).pause();
    return line;
  }

  /** The client with most waiting requests loses them, so that one client cannot use up the places of all others. */
  private closeLongest(): void {
    let longest: readonly [Socket, Line] | undefined;
    for (const entry of this.lines) {
      longest = longest && longest[1].count >= entry[1].count ? longest : entry;
    }
    longest?.[1].end();
    longest?.[0].destroy();
  }
}

interface Parser {
  onIncoming: (request: IncomingMessage, shouldKeepAlive: boolean) => number;
}

/** What Node's parser takes for "the rest is of another protocol": it drops what it has read. */
const DROP_THE_REST = 2;

/**
 * Lets Node make no more requests of what this connection has sent. `pause` does not do so: Node parses everything that it
 * has read at once. The parser's callback is not documented; it is the same in Node 20 to 26, and a test counts its calls.
 */
function stopParsing(socket: Socket & { parser?: Parser | null }): void {
  if (socket.parser) {
    socket.parser.onIncoming = () => DROP_THE_REST;
  }
}

/** Node resumes a connection after each answer. */
function pause(this: Socket): void {
  this.pause();
}

/** Closes connections that leave answers unread for too long, and those with most unread bytes when there are too many. */
function closeUnreadConnections(
  server: Server,
  {
    maxUnreadBytes,
    readTimeoutMs,
    sweepMs,
  }: Omit<ConnectionLimits, 'maxPipelined' | 'maxWaitingRequests'>,
): OpenConnections {
  /** With the time since which something is unread, on the monotonic clock. */
  const connections = new Map<Socket, number | undefined>();
  const track = (socket: Socket): void => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  };
  // Of an HTTPS server `connection` names the connection below TLS.
  server.on(server instanceof HttpsServer ? 'secureConnection' : 'connection', track);
  const sweep = (): void => {
    const now = performance.now();
    const unread: Socket[] = [];
    for (const [socket, since = now] of connections) {
      const isUnread = socket.writableLength > 0;
      connections.set(socket, isUnread ? since : undefined);
      if (isUnread && now - since >= readTimeoutMs) {
        socket.destroy();
      } else if (isUnread) {
        unread.push(socket);
      }
    }
    closeLargest(unread, maxUnreadBytes);
  };
  const timer = setInterval(sweep, sweepMs).unref();
  server.once('close', () => clearInterval(timer));
  return { [Symbol.iterator]: () => connections.keys() };
}

function closeLargest(unread: Socket[], maxBytes: number): void {
  let total = unread.reduce((sum, { writableLength }) => sum + writableLength, 0);
  if (total <= maxBytes) {
    return;
  }
  for (const socket of unread.sort((one, other) => other.writableLength - one.writableLength)) {
    total -= socket.writableLength;
    socket.destroy();
    if (total <= maxBytes) {
      return;
    }
  }
}
