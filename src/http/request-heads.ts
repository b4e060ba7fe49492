import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { Problem, type ProblemCode } from '../common/problem/index.js';
import { MAX_HEADERS_BYTES } from './limits.js';

/** Colon, space and line end. */
const SIGNS_PER_FIELD = 4;
/** Node's own limit, names and values counted apart: it drops what comes behind without a word. */
const MAX_FIELDS = 2000 / 2;
/** Percent-encoding, and what is not ASCII. */
const NOT_PLAIN = /[^!-$&-~]/;
const NOT_ASCII = /[^!-~]/;

const refused = new WeakSet<Socket>();

/** Whether the last answer of this connection is under way. */
export function isRefused(socket: Socket): boolean {
  return refused.has(socket);
}

/**
 * Refuses what Node lets through. A proxy in front may read in another way: more than one `Host`, or none (RFC 9112
 * section 3.2), and a transfer coding besides `chunked`, which nobody here would undo (section 6.1). And where Node
 * counts the letters of names and values only, many short fields make a head of four times its limit.
 *
 * @param isHeldBack whether the instance cannot serve the request yet; asked here, because each further hook costs every request
 */
export function checkRequestHeads(
  server: FastifyInstance,
  isHeldBack: (request: FastifyRequest) => boolean,
): void {
  const unexpected = new WeakSet<IncomingMessage>();
  // Node would answer by itself, without a problem document.
  server.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    unexpected.add(request);
    server.server.emit('request', request, response);
  });
  server.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    // Node goes on with what it has read already. It may be part of what was refused (RFC 9112 section 9.6).
    const flaw = isRefused(raw.socket)
      ? 'malformed-request'
      : (flawOf(raw) ?? (unexpected.has(raw) ? 'expectation-failed' : undefined));
    if (flaw === undefined) {
      const code = isDecodable(raw.url ?? '') ? undefined : 'malformed-request';
      if (raw.method !== 'GET' && (hasNoBody(raw) || request.mediaType === undefined)) {
        // A type that has no body to describe does not matter, and one that is no media type describes none. Fastify would
        // answer 415 before it knows whether a body comes.
        delete raw.headers['content-type'];
      }
      const refusal = code ?? (isHeldBack(request) ? 'not-ready' : undefined);
      done(refusal && new Problem(refusal));
      return;
    }
    refused.add(raw.socket);
    void reply.header('Connection', 'close');
    done(new Problem(flaw));
  });
}

/**
 * Whether a request target is ASCII (RFC 3986 section 2), and its percent-encoded bytes are UTF-8. Node reads other bytes as
 * Latin-1, and the parser of queries leaves what it cannot decode as it is.
 */
function isDecodable(target: string): boolean {
  if (!NOT_PLAIN.test(target)) {
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

function flawOf({ rawHeaders, headers, httpVersion }: IncomingMessage): ProblemCode | undefined {
  let bytes = 0;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    bytes += name.length + value.length + SIGNS_PER_FIELD;
    hosts += name.length === 4 && name.toLowerCase() === 'host' ? 1 : 0;
  }
  if (bytes > MAX_HEADERS_BYTES || rawHeaders.length >= 2 * MAX_FIELDS) {
    return 'headers-too-large';
  }
  const isHostClear = hosts === 1 || (hosts === 0 && httpVersion !== '1.1');
  const coding = headers['transfer-encoding'] ?? 'chunked';
  return isHostClear && coding.trim().toLowerCase() === 'chunked' ? undefined : 'malformed-request';
}
