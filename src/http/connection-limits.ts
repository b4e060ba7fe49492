import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** Pipelined requests that may wait on one connection. */
  readonly maxPipelined: number;
  /** Pipelined requests that may wait on all connections together. */
  readonly maxWaitingRequests: number;
  /** Response bytes that clients have not read yet, on all connections together. */
  readonly maxUnreadBytes: number;
  /** How long a client may leave response bytes unread. */
  readonly readTimeoutMs: number;
  readonly sweepIntervalMs: number;
}

export type OpenConnections = Iterable<Socket>;

const LIMITS: ConnectionLimits = {
  // About 3 KB of memory each. Clients that pipeline send a few dozen. Node parses up to 3,600 in one read.
  maxPipelined: 100,
  maxWaitingRequests: 1000,
  maxUnreadBytes: 32 * 1024 * 1024,
  readTimeoutMs: 60_000,
  sweepIntervalMs: 1000,
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
 * Limits the memory that a client can use by sending many requests and reading no responses. By default Node handles all
 * pipelined requests at once and keeps their responses in memory. Here a pipelined request starts only when the previous
 * response was handed to the operating system, and the socket is paused while requests wait. The last request that may wait is
 * answered with `Connection: close`, and the connection is then closed (RFC 9112 section 9.3.2 requires clients to expect
 * that).
 *
 * A request that is not pipelined costs one extra comparison.
 *
 * @param server must have its request listener already
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
    // Node assigns the connection to one response at a time. A response without a connection belongs to a pipelined request.
    if (response.socket === null) {
      waiting.add(request.socket, response, () => listener(request, response));
    } else {
      listener(request, response);
    }
  });
  return closeUnreadConnections(server, unreadLimits);
}

interface Waiting {
  count: number;
  /** Discards all waiting requests of the socket. */
  readonly end: () => void;
}

/** Pipelined requests that were parsed and have not started. */
class WaitingRequests {
  private readonly bySocket = new Map<Socket, Waiting>();
  private total = 0;

  constructor(
    private readonly maxPerSocket: number,
    private readonly maxTotal: number,
  ) {}

  add(socket: Socket, response: ServerResponse, begin: () => void): void {
    if (socket.destroyed) {
      return; // Node still emits requests that it had parsed
    }
    const entry = this.bySocket.get(socket) ?? this.begin(socket);
    entry.count += 1;
    this.total += 1;
    const isLast = entry.count >= this.maxPerSocket;
    if (isLast) {
      response.shouldKeepAlive = false;
      stopParsing(socket);
    }
    response.once('socket', () => {
      this.total -= 1;
      entry.count -= 1;
      if (entry.count === 0) {
        entry.end();
        socket.resume();
      }
      // Deferred, so that one client's fast responses cannot monopolize the event loop, and so that Node has finished
      // assigning the socket to the response.
      setImmediate(() => (socket.destroyed ? undefined : begin()));
    });
    if (this.total > this.maxTotal) {
      this.closeLongest();
    }
  }

  private begin(socket: Socket): Waiting {
    const end = (): void => {
      this.total -= entry.count;
      entry.count = 0;
      this.bySocket.delete(socket);
      socket.off('close', end).off('resume', pause);
    };
    const entry = { count: 0, end };
    this.bySocket.set(socket, entry);
    socket.once('close', end).on('resume', pause).pause();
    return entry;
  }

  /** Closes the connection with the most waiting requests, so that one client cannot use up the shared limit. */
  private closeLongest(): void {
    let longest: readonly [Socket, Waiting] | undefined;
    for (const entry of this.bySocket) {
      longest = longest && longest[1].count >= entry[1].count ? longest : entry;
    }
    longest?.[1].end();
    longest?.[0].destroy();
  }
}

interface Parser {
  onIncoming: (request: IncomingMessage, shouldKeepAlive: boolean) => number;
}

/** Return value that tells Node's parser "the rest is another protocol": the parser drops the rest of its input. */
const DROP_THE_REST = 2;

/**
 * Stops Node from emitting further requests of this connection. `pause` is not enough: Node parses all bytes of a read at
 * once. The parser's callback is undocumented. It is the same in Node 20 to 26, and a test counts its calls.
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

/** Closes connections that do not read their responses in time, and the largest ones when the unread bytes exceed the limit. */
function closeUnreadConnections(
  server: Server,
  {
    maxUnreadBytes,
    readTimeoutMs,
    sweepIntervalMs,
  }: Omit<ConnectionLimits, 'maxPipelined' | 'maxWaitingRequests'>,
): OpenConnections {
  /** Value: since when bytes are unread, on the monotonic clock. */
  const connections = new Map<Socket, number | undefined>();
  const track = (socket: Socket): void => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  };
  // On an HTTPS server, `connection` reports the raw socket below TLS.
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
  const timer = setInterval(sweep, sweepIntervalMs).unref();
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
