import type { Operation } from './history.js';

/** An operation in words, for the reader of a violation. */
export function describe(what: string, operation: Operation): string {
  const { kind, instance, begin, end, user, session, status, code } = operation;
  const times = `${Math.round(begin)} to ${Math.round(end)} ms`;
  return `${what}: ${kind} of ${user}${session ? `, session ${session}` : ''}, instance ${instance}, ${status} ${code ?? ''}, ${times}`;
}
