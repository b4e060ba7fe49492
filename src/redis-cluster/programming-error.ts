const PROGRAMMING_ERRORS = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Whether the error is a bug in the code. It must be thrown at once instead of being retried. */
export function isProgrammingError(error: Error): boolean {
  return PROGRAMMING_ERRORS.some((type) => error instanceof type);
}
