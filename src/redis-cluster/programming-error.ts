const PROGRAMMING_ERRORS = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Whether the code is wrong, and not the state of Redis: that must be seen, and not retried until the time is up. */
export function isProgrammingError(error: Error): boolean {
  return PROGRAMMING_ERRORS.some((type) => error instanceof type);
}
