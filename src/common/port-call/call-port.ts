import type { Deadline } from '../deadline/index.js';
import type { Secret } from '../secret/index.js';

/** An error of Keyslot's own callback, which the application's code has called. It is rethrown unchanged. */
export class PassedOn {
  constructor(readonly error: unknown) {}
}

/** The errors of a port. */
export interface PortErrors {
  /** What the error texts call the port: `the user store`. */
  readonly port: string;
  /** The application's code throws it when it has no connection. Keyslot throws it at the deadline. */
  readonly Unavailable: new (message: string) => Error;
  /** Replaces any other error. */
  readonly Fault: new (message: string) => Error;
}

/**
 * Calls what an application provides for a port. Ends the call at the deadline, and removes what must not be logged from its errors.
 *
 * @param secrets that the call receives, and that no error may contain
 * @throws the errors of the port
 */
export async function callPort<Answer>(
  { port, Unavailable, Fault }: PortErrors,
  deadline: Deadline,
  secrets: readonly Secret[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  if (deadline.hasPassed) {
    // The request has timed out, so a later request may have changed what this one has read. A write based on that could overwrite
    // the change.
    throw new Unavailable(`no time was left to call ${port}`);
  }
  // An application may throw without a promise.
  const answer = async (): Promise<Answer> => call();
  return deadline.limit(
    answer().catch((error: unknown) => {
      if (error instanceof PassedOn) {
        throw error.error;
      }
      throw error instanceof Unavailable ? error : withoutRows(error, Fault, secrets);
    }),
    () => new Unavailable(`${port} did not respond in time`),
  );
}

/** Errors of databases contain rows and parameters. Only name, message and stack are kept, without secrets. */
function withoutRows(
  error: unknown,
  Fault: PortErrors['Fault'],
  secrets: readonly Secret[],
): Error {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const open = (text: string): string =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret.reveal(), '…'), text);
  const fault = new Fault(open(`${name}: ${message}`));
  fault.stack = open(stack ?? fault.message);
  return fault;
}
