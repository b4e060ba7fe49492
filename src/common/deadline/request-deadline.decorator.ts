import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { RequestState } from '../http/request-state.js';
import { Deadline } from './deadline.js';

/** For requests that only read. */
const READ_TIMEOUT_MS = 1800;
/**
 * For all other requests. Longer than the lease, which a change must wait out when an instance has died, and longer than a
 * burst of logins waits for the CPU. Redis calls have shorter timeouts, see RedisClusterOptions.
 */
const CHANGE_TIMEOUT_MS = 5000;
const READ_METHODS = ['GET', 'HEAD'];

/** @internal */
export const DEADLINE = new RequestState<Deadline>('deadline');

/** Returns the deadline of a request. It starts at the first call, when the whole request has arrived. */
export function deadlineOf(request: { readonly method: string }): Deadline {
  let deadline = DEADLINE.get(request);
  if (!deadline) {
    deadline = Deadline.after(
      READ_METHODS.includes(request.method) ? READ_TIMEOUT_MS : CHANGE_TIMEOUT_MS,
    );
    DEADLINE.set(request, deadline);
  }
  return deadline;
}

/** The request's deadline, as a parameter: `@RequestDeadline() deadline: Deadline`. */
export const RequestDeadline = createParamDecorator(
  (_: unknown, context: ExecutionContext): Deadline =>
    deadlineOf(context.switchToHttp().getRequest<{ readonly method: string }>()),
);
