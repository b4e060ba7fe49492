import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { Deadline } from './deadline.js';

/**
 * The longest that a request may take, in milliseconds. Longer than the lease that a change waits for when an instance
 * has died, and than a burst of logins waits for the processor. Redis alone is given up sooner: see RedisClusterOptions.
 */
const REQUEST_DEADLINE_MS = 5000;

const deadlines = new WeakMap<object, Deadline>();

/** The deadline of a request. It runs from the first time that somebody asks, which is when all of the request is there. */
export function deadlineOf(request: object): Deadline {
  let deadline = deadlines.get(request);
  if (!deadline) {
    deadline = Deadline.after(REQUEST_DEADLINE_MS);
    deadlines.set(request, deadline);
  }
  return deadline;
}

/** The request's deadline, as a parameter: `@RequestDeadline() deadline: Deadline`. */
export const RequestDeadline = createParamDecorator(
  (_: unknown, context: ExecutionContext): Deadline =>
    deadlineOf(context.switchToHttp().getRequest<object>()),
);
