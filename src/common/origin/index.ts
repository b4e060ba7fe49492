export { truncated } from './header-text.js';
export { Origin, type Actor, type OriginFacts } from './origin.js';
export { originOf, RequestOrigin } from './request-origin.decorator.js';
