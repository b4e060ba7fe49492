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

/** The shard of a key takes no writes for now, whoever sends them. Part of the cause of the errors above. */
export class ReadOnlyShardError extends Error {
  override readonly name: string = 'ReadOnlyShardError';
}

/** @internal Too few replicas have confirmed a write. It may or may not have happened. */
export class TooFewReplicasError extends ReadOnlyShardError {
  override readonly name = 'TooFewReplicasError';

  constructor(confirmed: number, needed: number) {
    super(`${confirmed} of ${needed} replicas confirmed`);
  }
}
