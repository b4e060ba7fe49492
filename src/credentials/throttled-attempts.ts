import type { AuditEvent, AuditLog } from '../audit/index.js';
import type { Origin } from '../common/origin/index.js';
import { UndecidedAttemptError } from '../rate-limit/index.js';

/** The action that was attempted, and its account. */
export interface AttemptSubject extends Pick<
  AuditEvent,
  'userId' | 'clientId' | 'namePseudonym' | 'sessionId'
> {
  readonly attempt:
    | 'login'
    | 'second-factor'
    | 'reauthentication'
    | 'refresh'
    | 'registration'
    | 'profile-change'
    | 'password-change'
    | 'deletion'
    | 'password-reset'
    | 'email-verification'
    | 'client-authentication';
}

type Outcome = { readonly outcome: string; readonly retryAfterSeconds?: number };

/**
 * Makes an attempt. Records an event when a limit refuses the attempt, or when it fails because the hashing queue is
 * overloaded.
 */
export async function recordThrottling<Result extends Outcome>(
  audit: AuditLog,
  { attempt, ...subject }: AttemptSubject,
  origin: Origin,
  make: () => Promise<Result>,
): Promise<Result> {
  const refused = (reason: string, retryAfterSeconds?: number): void =>
    audit.record({
      type: 'attempt-throttled',
      result: 'refused',
      reason,
      ...subject,
      ...origin.facts,
      details: { attempt, retryAfterSeconds },
    });
  let result: Result;
  try {
    result = await make();
  } catch (error) {
    if (error instanceof UndecidedAttemptError) {
      refused('overloaded');
    }
    throw error;
  }
  if (result.outcome === 'too-many-attempts') {
    refused('too-many-attempts', result.retryAfterSeconds);
  }
  return result;
}
