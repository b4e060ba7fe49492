export interface Seen {
  /** 0 when the connection was refused or lost. */
  readonly status: number;
  readonly hasRetryAfter: boolean;
  /** The instance was stopped, killed or restarted during the request, or shortly before it. */
  readonly isDisturbed: boolean;
}

/** Refusals that need no other check here; promises.ts checks whether they are correct. */
const REFUSALS = [401, 403, 409];

/** @returns why a response is neither a success nor an honest refusal, or undefined */
export function whyDishonest({ status, hasRetryAfter, isDisturbed }: Seen): string | undefined {
  if (status === 0) {
    return isDisturbed ? undefined : 'no answer, though nobody had touched it';
  }
  if (status === 503) {
    return hasRetryAfter ? undefined : '503 without Retry-After';
  }
  const isFine = (status >= 200 && status < 300) || REFUSALS.includes(status);
  return isFine ? undefined : `status ${status}`;
}
