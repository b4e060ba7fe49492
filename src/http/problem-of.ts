import { HttpException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { AuditTrailUnavailableError } from '../audit/index.js';
import { Problem, type ProblemCode } from '../common/problem/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../redis-cluster/index.js';
import { HashingOverloadedError, UserStoreUnavailableError } from '../users/index.js';
import { pipeFailures } from './pipe-failures.js';

type ErrorClass = abstract new (...args: never[]) => Error;

const CODE_OF_ERROR: readonly (readonly [ErrorClass, ProblemCode])[] = [
  [NotConfirmedError, 'not-confirmed'],
  [RedisUnavailableError, 'store-unavailable'],
  [UserStoreUnavailableError, 'store-unavailable'],
  [AuditTrailUnavailableError, 'store-unavailable'],
  [HashingOverloadedError, 'overloaded'],
];

const CODE_OF_STATUS = new Map<number, ProblemCode>([
  [403, 'forbidden'],
  [404, 'not-found'],
  [405, 'method-not-allowed'],
  [413, 'body-too-large'],
  [415, 'unsupported-media-type'],
  [417, 'expectation-failed'],
  [429, 'too-many-attempts'],
  [431, 'headers-too-large'],
]);

export function isInCatalogue(status: number): boolean {
  return CODE_OF_STATUS.has(status);
}

export function logFailure({ code, status, options }: Problem, request: FastifyRequest): void {
  if (code === 'internal-error') {
    request.log.error({ code, err: options.cause }, 'failed');
  } else if (status >= 500) {
    // These errors are transient and may be frequent, and a stack would not help.
    request.log.warn({ code, reason: reasonsOf(options.cause) }, 'failed');
  }
}

function reasonsOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) {
    return undefined;
  }
  const deeper = reasonsOf(cause.cause);
  return deeper === undefined ? cause.message : `${cause.message}: ${deeper}`;
}

/** Maps any error to a problem of the catalogue. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  const errors = pipeFailures(error);
  if (errors) {
    return new Problem('invalid-request', { errors });
  }
  const known = CODE_OF_ERROR.find(([type]) => error instanceof type);
  if (known) {
    return new Problem(known[1], { cause: error });
  }
  const status = statusOf(error);
  if (status !== undefined && status >= 400 && status < 500) {
    return new Problem(CODE_OF_STATUS.get(status) ?? 'malformed-request', { cause: error });
  }
  return new Problem('internal-error', { cause: error });
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) {
    return error.getStatus();
  }
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}
