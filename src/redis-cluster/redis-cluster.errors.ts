/** Redis did not answer in time. */
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

/** The Redis user lacks the permission for a command. The message is meant for the operator. */
export class MissingRightError extends Error {
  override readonly name = 'MissingRightError';
}

/** The shard of a key rejects all writes for now. It appears in the cause of the errors above. */
export class ReadOnlyShardError extends Error {
  override readonly name: string = 'ReadOnlyShardError';
}

/** @internal Too few replicas confirmed a write. The write may or may not have happened. */
export class TooFewReplicasError extends ReadOnlyShardError {
  override readonly name = 'TooFewReplicasError';

  constructor(confirmed: number, needed: number) {
    super(`${confirmed} of ${needed} replicas confirmed`);
  }
}
