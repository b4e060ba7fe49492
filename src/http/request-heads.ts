import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { isForwardAuth } from '../common/http/index.js';
import { Problem, type ProblemCode } from '../common/problem/index.js';
import { IGNORED_TYPE, ignoresBody } from './bodies.js';
import { MAX_HEADERS_BYTES } from './limits.js';

/** Colon, space, CR and LF. */
const OVERHEAD_BYTES_PER_FIELD = 4;
/** Node drops further names and values silently. */
const MAX_FIELDS = 2000 / 2;
/** Percent signs and non-ASCII characters. */
const PERCENT_OR_NON_ASCII = /[^!-$&-~]/;
const NOT_ASCII = /[^!-~]/;

const refused = new WeakSet<Socket>();

/** Whether a request of this connection was refused. Its response is the last one of the connection. */
export function isRefused(socket: Socket): boolean {
  return refused.has(socket);
}

/**
 * Refuses heads that Node accepts, but that a proxy may interpret differently (request smuggling): several `Host` fields or
 * none (RFC 9112 section 3.2), and transfer codings other than `chunked` (section 6.1). Also enforces the size limit of the
 * head: Node counts only the characters of names and values, so many short fields could exceed it four times.
 *
 * @param isNotReadyFor whether the instance cannot serve the request yet. Checked here, because a separate hook would cost
 * every request
 */
export function checkRequestHeads(
  server: FastifyInstance,
  isNotReadyFor: (request: FastifyRequest) => boolean,
): void {
  const unexpected = new WeakSet<IncomingMessage>();
  // By default Node answers 417 itself, without a problem document.
  server.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    unexpected.add(request);
    server.server.emit('request', request, response);
  });
  server.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    // Node still emits requests from bytes that it has read. They may belong to the refused one (RFC 9112 section 9.6).
    const flaw = isRefused(raw.socket)
      ? 'malformed-request'
      : (headProblem(raw) ?? (unexpected.has(raw) ? 'expectation-failed' : undefined));
    if (flaw === undefined) {
      const code = isReadableTarget(raw.url ?? '') ? undefined : 'malformed-request';
      if (raw.method !== 'GET') {
        adaptContentType(request);
      }
      const refusal = code ?? (isNotReadyFor(request) ? 'not-ready' : undefined);
      done(refusal && new Problem(refusal));
      return;
    }
    refused.add(raw.socket);
    void reply.header('Connection', 'close');
    done(new Problem(flaw));
  });
}

/** Fastify chooses the parser of a body by this header, and refuses some values before it knows whether there is a body. */
function adaptContentType(request: FastifyRequest): void {
  const { raw } = request;
  if (ignoresBody(request)) {
    raw.headers['content-type'] = IGNORED_TYPE;
  } else if (hasNoBody(raw) || request.mediaType === undefined) {
    // A Content-Type without a body is irrelevant, and a malformed one describes nothing.
    delete raw.headers['content-type'];
  }
}

/** For forward auth, a part of the target may be that of a request to another service, with other rules. */
function isReadableTarget(target: string): boolean {
  return isDecodable(target) || isForwardAuth(target);
}

/**
 * Whether a request target is ASCII (RFC 3986 section 2), and its percent-encoded bytes are UTF-8. Node reads other bytes as
 * Latin-1, and the parser of queries leaves what it cannot decode as it is.
 */
function isDecodable(target: string): boolean {
  if (!PERCENT_OR_NON_ASCII.test(target)) {
    return true;
  }
  try {
    decodeURIComponent(target);
    return !NOT_ASCII.test(target);
  } catch {
    return false;
  }
}

/** RFC 9112 section 6.3. */
function hasNoBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers;
  return coding === undefined && Number(length) === 0;
}

function headProblem({
  rawHeaders,
  headers,
  httpVersion,
}: IncomingMessage): ProblemCode | undefined {
  let bytes = 0;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    bytes += name.length + value.length + OVERHEAD_BYTES_PER_FIELD;
    hosts += name.length === 4 && name.toLowerCase() === 'host' ? 1 : 0;
  }
  if (bytes > MAX_HEADERS_BYTES || rawHeaders.length >= 2 * MAX_FIELDS) {
    return 'headers-too-large';
  }
  const isHostClear = hosts === 1 || (hosts === 0 && httpVersion !== '1.1');
  const coding = headers['transfer-encoding'] ?? 'chunked';
  return isHostClear && coding.trim().toLowerCase() === 'chunked' ? undefined : 'malformed-request';
}
