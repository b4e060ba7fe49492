import type { Deadline } from '../../common/deadline/index.js';
import type { Secret } from '../../common/secret/index.js';
import { UserStoreError, UserStoreUnavailableError } from './user-store.js';

/** An error of Keyslot's own callback, which the store has called. It is rethrown unchanged. */
export class PassedOn {
  constructor(readonly error: unknown) {}
}

/**
 * Calls a user store or a user directory of the application. Ends the call at the deadline, and removes what must not be logged
 * from its errors.
 *
 * @param secrets that the call receives, and that no error may contain
 * @throws UserStoreUnavailableError, UserStoreError
 */
export async function callStore<Answer>(
  deadline: Deadline,
  secrets: readonly Secret[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  if (deadline.hasPassed) {
    // The request has timed out, so a later request may have changed the user. A write based on a read now could overwrite that
    // change.
    throw new UserStoreUnavailableError('no time was left to call the user store');
  }
  const answer = async (): Promise<Answer> => call();
  return deadline.limit(
    answer().catch((error: unknown) => {
      throw error instanceof PassedOn ? error.error : faultOf(error, secrets);
    }),
    () => new UserStoreUnavailableError('the user store did not respond in time'),
  );
}

/** Errors of databases contain rows and parameters. Only name, message and stack are kept, without secrets. */
function faultOf(error: unknown, secrets: readonly Secret[]): Error {
  if (error instanceof UserStoreUnavailableError) {
    return error;
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const open = (text: string): string =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret.reveal(), '…'), text);
  const fault = new UserStoreError(open(`${name}: ${message}`));
  fault.stack = open(stack ?? fault.message);
  return fault;
}
