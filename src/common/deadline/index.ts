export { Deadline } from './deadline.js';
export { DEADLINE, deadlineOf, RequestDeadline } from './request-deadline.decorator.js';
export { withTimeout } from './with-timeout.js';
