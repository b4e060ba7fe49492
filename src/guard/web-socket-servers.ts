import { Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';

import { Problem } from '../common/problem/index.js';
import { Handshake } from '../common/transport/index.js';
import type { ConnectionEnd } from './connections.js';
import { problemResponse } from './problem-response.js';

const logger = new Logger('Guard');

/** Decides about the connections of one server. */
export interface Doorkeeper {
  /**
   * @param client identifies the connection
   * @throws Problem when the connection is refused
   */
  readonly admit: (client: object, handshake: Handshake) => Promise<void>;
  /** @param onClosed calls a function when the connection has closed */
  readonly opened: (
    client: object,
    handshake: Handshake,
    close: (why: ConnectionEnd) => void,
    onClosed: (listener: () => void) => void,
  ) => void;
}

/** Status codes of RFC 6455 section 7.4 and of the IANA registry. 4000 and above are for applications. */
const CLOSE_CODES: Readonly<Record<ConnectionEnd, number>> = {
  ended: 4401,
  'invalid-token': 4401,
  'not-confirmed': 1013,
  stopping: 1001,
};

/** A server of the package `ws`. */
interface WsServer {
  readonly options: { verifyClient?: VerifyClient | null };
  handleUpgrade: unknown;
  on(event: 'connection', listener: (client: WsClient, request: IncomingMessage) => void): void;
}
interface WsClient {
  close(code: number, reason: string): void;
  once(event: 'close', listener: () => void): void;
}
type Verdict = (
  isAccepted: boolean,
  status?: number,
  body?: string,
  headers?: Readonly<Record<string, string>>,
) => void;
type VerifyClient = (info: { readonly req: IncomingMessage }, verdict: Verdict) => unknown;

/** A namespace of Socket.IO, or a server, which stands for its main namespace. */
interface SocketIoServer {
  /** Of a server. */
  readonly opts?: { connectionStateRecovery?: unknown };
  /** Of a namespace. */
  readonly server?: Pick<SocketIoServer, 'opts'>;
  use(middleware: (client: SocketIoClient, next: (error?: Error) => void) => void): void;
  on(event: 'connection', listener: (client: SocketIoClient) => void): void;
}
interface SocketIoClient {
  readonly request: IncomingMessage;
  readonly handshake: { readonly auth?: { readonly token?: unknown } };
  disconnect(): void;
  once(event: 'disconnect', listener: () => void): void;
}

/** @returns whether the server is of a known library */
export function guardServer(server: object, doorkeeper: Doorkeeper): boolean {
  if ('handleUpgrade' in server) {
    guardWs(server as WsServer, doorkeeper);
  } else if ('use' in server) {
    guardSocketIo(server as SocketIoServer, doorkeeper);
  } else {
    return false;
  }
  return true;
}

/** Answers a refused connection with the status of the problem, before the upgrade. */
function guardWs(server: WsServer, { admit, opened }: Doorkeeper): void {
  const admitted = new WeakMap<IncomingMessage, Handshake>();
  const { verifyClient } = server.options;
  server.options.verifyClient = (info, verdict) => {
    const { req: request } = info;
    const handshake = new Handshake(request);
    admit(request, handshake)
      .then(
        () => {
          admitted.set(request, handshake);
          askNext(verifyClient, info, verdict);
        },
        (error: unknown) => {
          const problem = error instanceof Problem ? error : new Problem('internal-error');
          const { headers, url = '/' } = request;
          const response = problemResponse(problem, { headers, url });
          verdict(false, response.status, response.body, response.headers);
        },
      )
      .catch((error: unknown) => {
        // The own `verifyClient`, or a listener of the server. The adapter cannot catch the error any more.
        logger.error(error);
        request.socket.destroy();
      });
  };
  server.on('connection', (client, request) => {
    const close = (why: ConnectionEnd): void => client.close(CLOSE_CODES[why], why);
    const handshake = admitted.get(request);
    if (handshake) {
      opened(client, handshake, close, (listener) => client.once('close', listener));
    } else {
      close('invalid-token');
    }
  });
}

/** The option of the gateway, which has one parameter if it is synchronous. */
function askNext(
  verifyClient: VerifyClient | null | undefined,
  info: Parameters<VerifyClient>[0],
  verdict: Verdict,
): void {
  if (verifyClient?.length === 2) {
    verifyClient(info, verdict);
  } else {
    verdict(!verifyClient || Boolean(verifyClient(info, verdict)));
  }
}

/** Answers a refused connection with the event `connect_error`. Each namespace has its own token. */
function guardSocketIo(server: SocketIoServer, { admit, opened }: Doorkeeper): void {
  disableRecovery(server);
  const admitted = new WeakMap<SocketIoClient, Handshake>();
  server.use((client, next) => {
    const handshake = new Handshake(client.request, client.handshake.auth?.token);
    admit(client, handshake).then(
      () => {
        admitted.set(client, handshake);
        next();
      },
      (error: unknown) => next(connectError(error, client.request)),
    );
  });
  server.on('connection', (client) => {
    const handshake = admitted.get(client);
    if (handshake) {
      const close = (): void => client.disconnect();
      opened(client, handshake, close, (listener) => client.once('disconnect', listener));
    } else {
      client.disconnect();
    }
  });
}

/** Connection state recovery sends the missed messages before any middleware is asked, also to a client whose session has ended. */
function disableRecovery(server: SocketIoServer): void {
  const { opts } = server.server ?? server;
  if (opts?.connectionStateRecovery) {
    opts.connectionStateRecovery = undefined;
    logger.warn(
      'connectionStateRecovery of Socket.IO is disabled: it would send messages to a client before the guard is asked.',
    );
  }
}

function connectError(error: unknown, { headers, url = '/' }: IncomingMessage): Error {
  const problem = error instanceof Problem ? error : new Problem('internal-error');
  const data = JSON.parse(problemResponse(problem, { headers, url }).body) as { detail: string };
  return Object.assign(new Error(data.detail), { data });
}
