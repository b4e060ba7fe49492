export { Deadline } from './deadline.js';
export { deadlineOf, RequestDeadline } from './request-deadline.decorator.js';
