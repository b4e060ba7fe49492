import type { ArgumentsHost } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';

import { languageOf, problemText, type Problem } from '../common/problem/index.js';
import { handshakeOf, requestOf } from '../common/transport/index.js';
import { connectionOf } from './connections.js';
import { asProblem, type GuardError } from './guard-problem.js';

/** Status codes of gRPC. https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const GRPC_STATUS = new Map([
  [401, 16],
  [403, 7],
  [503, 14],
]);
const GRPC_UNKNOWN = 2;

interface WebSocketClient {
  /** Of the package `ws`. */
  readonly readyState?: unknown;
  send(data: string): void;
  /** Of Socket.IO. */
  emit(event: string, data: unknown): void;
}

/** The refusal of a message, in the form of Nest's own exceptions, `WsException` and `RpcException`. */
interface MessageRefusal {
  readonly status: 'error';
  /** The code of the problem. */
  readonly code: string;
  readonly message: string;
}

/**
 * Answers a call that the guards refuse or cannot decide about, on a transport other than HTTP: as the filters of Nest answer
 * their exceptions.
 *
 * @returns the answer to a message of a microservice
 * @throws the error of a GraphQL resolver
 */
export function answerGuardError(
  error: GuardError,
  host: ArgumentsHost,
): Observable<never> | undefined {
  const problem = asProblem(error);
  switch (host.getType<string>()) {
    case 'ws':
      refuseOnSocket(problem, host);
      return undefined;
    case 'rpc':
      return refuseMessage(problem, host);
    case 'graphql':
      throw graphqlError(problem, host);
    default:
      throw problem;
  }
}

/** Sends the event `exception`, as Nest does. A token that is not accepted stays so, so the connection closes. */
function refuseOnSocket(problem: Problem, host: ArgumentsHost): void {
  const client = host.getArgByIndex<WebSocketClient>(0);
  const language = languageOf(handshakeOf(client)?.headers['accept-language']);
  const data = {
    ...refusal(problem, problemText(problem.code, 'detail', language)),
    cause: { pattern: host.getArgs<unknown[]>().at(-1), data: host.getArgByIndex<unknown>(1) },
  };
  if (typeof client.readyState === 'number') {
    client.send(JSON.stringify({ event: 'exception', data }));
  } else {
    client.emit('exception', data);
  }
  if (problem.code === 'invalid-token') {
    connectionOf(client)?.close('invalid-token');
  }
}

function refuseMessage(problem: Problem, host: ArgumentsHost): Observable<never> {
  const message = problemText(problem.code, 'detail', 'en');
  const isGrpc = 'getMap' in (host.getArgByIndex<object | undefined>(1) ?? {});
  return throwError(() =>
    isGrpc
      ? { code: GRPC_STATUS.get(problem.status) ?? GRPC_UNKNOWN, message }
      : refusal(problem, message),
  );
}

function refusal({ code }: Problem, message: string): MessageRefusal {
  return { status: 'error', code, message };
}

function graphqlError(problem: Problem, host: ArgumentsHost): Error {
  const headers = requestOf(host)?.headers;
  const language = languageOf(headers?.['accept-language']);
  return Object.assign(new Error(problemText(problem.code, 'detail', language)), {
    extensions: { code: problem.code, status: problem.status },
  });
}
