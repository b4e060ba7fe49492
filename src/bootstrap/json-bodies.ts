import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';

import { Problem, type InvalidMember } from '../common/problem/index.js';
import { pointerTo } from '../common/validation/index.js';

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const QUOTED_STRING = '"(?:[^"\\\\]|\\\\.)*"';
const NOT_UTF_8 = 'charset=(?!(?:utf-8|"utf-8")[ \\t]*(?:;|$))';
/**
 * `application/json` with any parameters, also empty ones (RFC 9110 sections 5.6.6 and 8.3.1), save for another charset
 * than UTF-8 (RFC 8259 section 8.1). No two parts match the same text, so that the match takes linear time.
 */
const JSON_IN_UTF8 = new RegExp(
  `^application/json[ \\t]*(?:;[ \\t]*(?:(?!${NOT_UTF_8})${TOKEN}=(?:${TOKEN}|${QUOTED_STRING})[ \\t]*)?)*$`,
  'i',
);
/** Deeper than any body of ours, and shallow enough for code that walks a body recursively. */
const MAX_LEVELS = 16;
/** More members and items than any body of ours has, and few enough for code that has something to say to each. */
const MAX_VALUES = 1000;

/**
 * Reads JSON and nothing else. An empty body is no body, whatever type is announced for it. Bytes that are no UTF-8 are
 * refused: a decoder would replace them, and texts that differ would become the same.
 */
export function parseJsonOnly(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  const parseBody = (
    request: FastifyRequest,
    body: Buffer,
    done: (error: Error | null, value?: unknown) => void,
  ): void => {
    const { headers } = request;
    const isJson = JSON_IN_UTF8.test(headers['content-type'] ?? '');
    if (body.length === 0) {
      done(null, undefined);
    } else if (headers['content-encoding'] !== undefined || !isJson) {
      done(new Problem('unsupported-media-type'));
    } else if (!isUtf8(body)) {
      done(new Problem('malformed-request'));
    } else {
      void parse(request, body.toString('utf8'), (error, value: unknown) => {
        done(error ? new Problem('malformed-request', { cause: error }) : flawOf(value), value);
      });
    }
  };
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseBody);
  server.addContentTypeParser('*', refuseBody);
}

/** Any other type: refused at the first byte, so that a slow sender is not waited for. */
function refuseBody(
  request: FastifyRequest,
  payload: Readable,
  done: (error: Error | null, value?: unknown) => void,
): void {
  const settle = (error: Error | null): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
    payload.resume();
    done(error, undefined);
  };
  const onData = (): void => settle(new Problem('unsupported-media-type'));
  const onEnd = (): void => settle(null);
  const onError = (error: Error): void =>
    settle(new Problem('malformed-request', { cause: error }));
  if (request.is404) {
    settle(null);
  } else {
    payload.on('data', onData).on('end', onEnd).on('error', onError);
  }
}

function flawOf(body: unknown): Problem | null {
  if (!isWithin({ values: MAX_VALUES }, MAX_LEVELS, body)) {
    return new Problem('malformed-request');
  }
  const errors = loneSurrogates(body, '');
  return errors.length > 0 ? new Problem('invalid-request', { errors }) : null;
}

function isWithin(left: { values: number }, levels: number, value: unknown): boolean {
  left.values -= 1;
  if (left.values < 0 || typeof value !== 'object' || value === null) {
    return left.values >= 0;
  }
  return levels > 0 && Object.values(value).every((member) => isWithin(left, levels - 1, member));
}

/**
 * The values and names with half of a surrogate pair, as an escape such as `"\ud83d"` makes it. UTF-8 has no bytes for it:
 * each one would be hashed and stored as U+FFFD, like every other half.
 */
function loneSurrogates(value: unknown, pointer: string): InvalidMember[] {
  if (typeof value === 'string') {
    return value.isWellFormed() ? [] : [{ pointer, code: 'lone-surrogate' }];
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([name, member]) => {
    const memberPointer = pointerTo(pointer, name.toWellFormed());
    return name.isWellFormed()
      ? loneSurrogates(member, memberPointer)
      : [{ pointer: memberPointer, code: 'lone-surrogate' }];
  });
}
