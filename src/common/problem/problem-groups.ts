import type { ProblemCode } from './catalogue.js';

/** Problems of a route that takes no body, when a client sends one. */
export const STRAY_BODY_PROBLEMS = [
  'malformed-request',
  'body-too-large',
  'unsupported-media-type',
] as const satisfies ProblemCode[];

/** Problems of reading and validating a body. */
export const BODY_PROBLEMS = [
  'invalid-request',
  ...STRAY_BODY_PROBLEMS,
] as const satisfies ProblemCode[];

/** Problems that the guard can answer. */
export const GUARD_PROBLEMS = [
  'missing-token',
  'invalid-token',
  'second-factor-enrolment-required',
  'store-unavailable',
] as const satisfies ProblemCode[];

/** Problems that any route can answer. */
export const ANY_ROUTE_PROBLEMS = [
  'request-timeout',
  'headers-too-large',
  'internal-error',
] as const satisfies ProblemCode[];
