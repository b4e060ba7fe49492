export interface Seen {
  /** 0 when the connection was refused or lost. */
  readonly status: number;
  readonly hasRetryAfter: boolean;
  /** Its instance was stopped, killed or restarted meanwhile, or a moment before. */
  readonly isDisturbed: boolean;
}

/** Refusals that are honest where they come; whether they are right is judged elsewhere. */
const REFUSALS = [401, 403, 409];

/** @returns what is wrong with an answer that is neither a success nor an honest refusal */
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
