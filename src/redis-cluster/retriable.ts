const PASSING_STATES = [
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'READONLY',
  'LOADING',
  'NOREPLICAS',
  'UNBLOCKED',
  'BUSY',
  'OOM',
  'MISCONF',
];

const PROGRAMMING_ERRORS = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Whether the code is wrong, and not the state of Redis: that has to be seen, and not repeated until time is up. */
export function isProgrammingError(error: Error): boolean {
  return PROGRAMMING_ERRORS.some((type) => error instanceof type);
}

/**
 * Whether an operation that failed with this error may succeed a moment later. Redis' answers that say "not here" or
 * "not now" pass; so does everything that is not an answer at all (closed, timed out, not yet connected). Any other
 * answer (a script error, a wrong type, a missing right) will be the same next time.
 */
export function isRetriable(error: Error): boolean {
  if (error.name !== 'ReplyError') {
    return true;
  }
  return PASSING_STATES.some((state) => error.message.startsWith(state));
}
