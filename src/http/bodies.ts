import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';

import { routeOptionsOf } from '../common/http/index.js';
import { Problem, type ProblemCode } from '../common/problem/index.js';
import { bodyProblem, utf8MediaType } from './body-checks.js';
import { parseForm } from './form.js';

/** RFC 8259 section 8.1: JSON is UTF-8. */
const JSON_IN_UTF8 = utf8MediaType('application/json');
const FORM_IN_UTF8 = utf8MediaType('application/x-www-form-urlencoded');

/** The type of bodies of routes with `@IgnoreBody()`. It has no parser of its own. */
export const IGNORED_TYPE = 'application/vnd.keyslot.ignored';

type Done = (error: Error | null, value?: unknown) => void;

/**
 * Parses JSON, or a form on routes with `@FormBody()`, and refuses any other media type. Routes with `@IgnoreBody()` discard
 * every body. An empty body counts as absent, whatever its Content-Type. Invalid UTF-8 is refused: a decoder would replace it, and different texts would become equal.
 */
export function parseBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, jsonParser(server));
  // Forms have no parser of their own, because a plugin of the application may add one, and Fastify accepts only one per type.
  server.addContentTypeParser('*', parseFormOrRefuse);
}

function jsonParser(server: FastifyInstance) {
  const parse = server.getDefaultJsonParser('error', 'error');
  return (request: FastifyRequest, body: Buffer, done: Done): void => {
    if (body.length === 0) {
      done(null, undefined);
    } else if (!isReadable(request, JSON_IN_UTF8) || readsForms(request)) {
      done(new Problem('unsupported-media-type'));
    } else if (!isUtf8(body)) {
      done(new Problem('malformed-request'));
    } else {
      void parse(request, body.toString('utf8'), (error, value: unknown) => {
        done(
          error ? new Problem('malformed-request', { cause: error }) : bodyProblem(value),
          value,
        );
      });
    }
  };
}

/** Takes the stream, because for a parser of buffers Fastify reads the whole body first, even if it is then refused. */
function parseFormOrRefuse(request: FastifyRequest, payload: Readable, done: Done): void {
  if (ignoresBody(request)) {
    discard(payload, done);
    return;
  }
  if (request.is404 || !readsForms(request) || !isReadable(request, FORM_IN_UTF8)) {
    refuseBody(request, payload, done);
    return;
  }
  const maxBytes = request.routeOptions.bodyLimit;
  if (Number(request.headers['content-length']) > maxBytes) {
    done(new Problem('body-too-large'));
    return;
  }
  collect(payload, { maxBytes, whenMore: 'body-too-large' }, (error, body) => {
    if (!body) {
      done(error, undefined);
      return;
    }
    const form = parseForm(body.toString('latin1'));
    done(form ? bodyProblem(form) : new Problem('malformed-request'), form);
  });
}

export function ignoresBody({ routeOptions: { config } }: FastifyRequest): boolean {
  return routeOptionsOf(config).body === 'ignored';
}

function readsForms({ routeOptions: { config } }: FastifyRequest): boolean {
  return routeOptionsOf(config).body === 'form';
}

function isReadable({ headers }: FastifyRequest, type: RegExp): boolean {
  return headers['content-encoding'] === undefined && type.test(headers['content-type'] ?? '');
}

/** Refuses any other media type at the first byte, without waiting for a slow sender. */
function refuseBody(request: FastifyRequest, payload: Readable, done: Done): void {
  if (request.is404) {
    discard(payload, done);
  } else {
    collect(payload, { maxBytes: 0, whenMore: 'unsupported-media-type' }, done);
  }
}

/** Node reads the rest after the response, so that the connection can be kept. */
function discard(payload: Readable, done: Done): void {
  payload.resume();
  done(null, undefined);
}

/** Reads the body, and fails as soon as it exceeds the limit. */
function collect(
  payload: Readable,
  { maxBytes, whenMore }: { readonly maxBytes: number; readonly whenMore: ProblemCode },
  done: (error: Error | null, body?: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const settle = (error: Error | null): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
    payload.resume();
    done(error, error || size === 0 ? undefined : Buffer.concat(chunks));
  };
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    chunks.push(chunk);
    if (size > maxBytes) {
      settle(new Problem(whenMore));
    }
  };
  const onEnd = (): void => settle(null);
  const onError = (error: Error): void =>
    settle(new Problem('malformed-request', { cause: error }));
  payload.on('data', onData).on('end', onEnd).on('error', onError);
}
