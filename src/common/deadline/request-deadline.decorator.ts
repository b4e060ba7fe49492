import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { RequestState } from '../http/request-state.js';
import { requestOf } from '../transport/index.js';
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

interface TimedRequest {
  /** Undefined for a message. */
  readonly method?: string;
  /** Set by Node for a request that opens a connection, such as a WebSocket. Many messages follow on the connection. */
  readonly upgrade?: unknown;
}

/**
 * Returns the deadline of a request. It starts at the first call, when the whole request has arrived. A message has a new
 * deadline at each call.
 */
export function deadlineOf(request: TimedRequest): Deadline {
  let deadline = DEADLINE.get(request);
  if (!deadline) {
    const { method } = request;
    const isRead = method !== undefined && READ_METHODS.includes(method);
    deadline = Deadline.after(isRead ? READ_TIMEOUT_MS : CHANGE_TIMEOUT_MS);
    if (method !== undefined && request.upgrade !== true) {
      DEADLINE.set(request, deadline);
    }
  }
  return deadline;
}

/** The request's deadline, as a parameter: `@RequestDeadline() deadline: Deadline`. */
export const RequestDeadline = createParamDecorator(
  (_: unknown, context: ExecutionContext): Deadline =>
    deadlineOf(requestOf<TimedRequest>(context) ?? {}),
);
