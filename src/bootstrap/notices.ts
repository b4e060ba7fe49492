import { OperatorError } from '../common/operator-error/index.js';
import type { Settings } from '../config/index.js';

/** Prints what the operator should know about the settings. */
export function printNotices({ warnings, hints }: Settings): void {
  for (const text of [...warnings, ...hints]) {
    process.stderr.write(`${text}\n`);
  }
}

/** @returns the message of an error that the operator can fix; for other errors the stack */
export function messageFor(error: unknown): string {
  const { message, stack } = error as Error;
  return error instanceof OperatorError ? message : (stack ?? message);
}
