/**
 * How Redis refuses a user, a right of the user, or a command that was renamed or is not offered; within a script, in the
 * words of 7.0 and of later versions.
 */
const REFUSAL =
  /^(?:NOAUTH|WRONGPASS|NOPERM)\b|^ERR The user executing the script|\bACL failure in script\b|^ERR unknown command/;
const UNKNOWN_COMMAND = /^ERR unknown command ['`]([^'`]+)['`]/;
const WRONG_USER = /^(?:NOAUTH|WRONGPASS)\b/;

/** What a shard answers that takes no writes for now, whoever sends them; and too few confirmations, in our own words. */
const READ_ONLY = /^(?:OOM|MISCONF|NOREPLICAS)\b|^\d+ of \d+ replicas confirmed/;

/** Whether Redis refuses who we are or what we may do. It goes on until an operator mends it. */
export function isRefusal(error: Error): boolean {
  return REFUSAL.test(error.message);
}

/** Whether Redis does not know the user, or not with this password. */
export function isWrongUser(error: Error): boolean {
  return WRONG_USER.test(error.message);
}

/** Whether a write failed because its shard takes none from anybody: it is full, or has too few replicas. */
export function isReadOnlyShard(error: unknown): boolean {
  return error instanceof Error && (READ_ONLY.test(error.message) || isReadOnlyShard(error.cause));
}

/**
 * The error as it may be shown: a refusal as what there is to do about it, because Redis' own words can name the user;
 * and without what the driver adds to an error, the arguments of the command, which hold passwords and digests.
 */
export function presentable(error: Error): Error {
  return new Error(isRefusal(error) ? adviceFor(error) : error.message);
}

function adviceFor({ message }: Error): string {
  if (WRONG_USER.test(message)) {
    return 'Redis refuses the user: check REDIS_USERNAME and REDIS_PASSWORD';
  }
  const unknown = UNKNOWN_COMMAND.exec(message)?.[1];
  if (unknown !== undefined) {
    return `Redis does not know the command ${unknown}: a node has it disabled or renamed, and Keyslot needs it`;
  }
  const command = /'([a-z|]+)' command/.exec(message)?.[1];
  const what = command === undefined ? 'a key, a channel or a command' : `the command ${command}`;
  return `Redis refuses the user ${what}: give it the rights that "node dist/cli.js redis-acl" prints, on every node`;
}
