/** Redis could not be asked in time. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/**
 * A durable write was not confirmed in time: it may or may not have happened. Repeating it is safe, because every
 * durable write is idempotent.
 */
export class NotConfirmedError extends Error {
  override readonly name = 'NotConfirmedError';
}

/** The Redis user may not run a command. The message is meant for the operator. */
export class MissingRightError extends Error {
  override readonly name = 'MissingRightError';
}
