import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { RequestState } from '../http/index.js';
import { Deadline } from './deadline.js';

/** The longest that a request may take which only reads. */
const READ_TIMEOUT_MS = 1800;
/**
 * The longest that any other may take: more than the lease that a change waits for when an instance has died, and than a
 * burst of logins waits for the processor. Redis itself is given up sooner, see RedisClusterOptions.
 */
const CHANGE_TIMEOUT_MS = 5000;
const READING = ['GET', 'HEAD'];

/** @internal */
export const DEADLINE = new RequestState<Deadline>('deadline');

/** The deadline of a request. It runs from the first time that somebody asks, which is when all of the request is there. */
export function deadlineOf(request: { readonly method: string }): Deadline {
  let deadline = DEADLINE.get(request);
  if (!deadline) {
    deadline = Deadline.after(
      READING.includes(request.method) ? READ_TIMEOUT_MS : CHANGE_TIMEOUT_MS,
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
