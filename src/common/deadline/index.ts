export { Deadline } from './deadline.js';
export { DEADLINE, deadlineOf, RequestDeadline } from './request-deadline.decorator.js';
export { TimeoutError, withTimeout } from './with-timeout.js';
