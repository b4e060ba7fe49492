import type { ArgumentsHost } from '@nestjs/common';

import { Problem } from '../common/problem/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../redis-cluster/index.js';

/** Errors of the guards: a refusal, or Redis, which could not be asked. */
export const GUARD_ERRORS = [Problem, NotConfirmedError, RedisUnavailableError] as const;
export type GuardError = InstanceType<(typeof GUARD_ERRORS)[number]>;

export function asProblem(error: GuardError): Problem {
  return error instanceof Problem ? error : new Problem('store-unavailable', { cause: error });
}

export function isGuardError(error: unknown): error is GuardError {
  return GUARD_ERRORS.some((type) => error instanceof type);
}

/**
 * The error that a guard throws. On HTTP, the filter of the application maps it. Other transports may show the text of an
 * unknown error to the client.
 */
export function guardProblem(error: unknown, host: ArgumentsHost): unknown {
  return host.getType() !== 'http' && isGuardError(error) ? asProblem(error) : error;
}
