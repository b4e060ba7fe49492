import { ReadOnlyShardError } from './redis-cluster.errors.js';

/**
 * What the texts of Redis mean. Redis tells its errors apart by their texts only, so all patterns for them are in this
 * file. Errors of our own are told apart by class, see redis-cluster.errors.ts.
 */

/** Begins an error reply: `MOVED`, `NOREPLICAS`. A reply without one is an error of a script. */
const ERROR_CODE = /^[A-Z]{2,20}(?= |$)/;
/**
 * How Redis refuses a user, a right of the user, or a command that was renamed or is not offered; within a script, in the
 * words of 7.0 and of later versions.
 */
const REFUSAL =
  /^(?:NOAUTH|WRONGPASS|NOPERM)\b|^ERR The user executing the script|\bACL failure in script\b|^ERR unknown command/;
const MISSING_RIGHT = /^NOPERM\b/;
const UNKNOWN_COMMAND = /^ERR unknown command ['`]([^'`]+)['`]/;
const WRONG_USER = /^(?:NOAUTH|WRONGPASS)\b/;
/** What a shard answers that takes no writes for now, whoever sends them. */
const READ_ONLY = /^(?:OOM|MISCONF|NOREPLICAS)\b/;
const WITHOUT_CLUSTER = /cluster support disabled/;
/** It is a replica by now. The map that named it a master is old. */
const IS_REPLICA = /WAIT cannot be used with replica/;
const UNKNOWN_SCRIPT = /^NOSCRIPT\b/;
const ASK = /^ASK \d+ (\S+)$/;

const TRANSIENT_CODES = [
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'READONLY',
  'LOADING',
  'NOREPLICAS',
  'UNBLOCKED',
  'BUSY',
  'OOM',
  'MISCONF',
];

/** Whether Redis answered, and the answer is an error. */
export function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** @returns the code of an error reply, `ERR` where it has none */
export function codeOf({ message }: Error): string {
  return ERROR_CODE.exec(message)?.[0] ?? 'ERR';
}

/**
 * Whether an operation that failed with this error may succeed a moment later. Redis' answers that say "not here" or
 * "not now" pass; so does everything that is not an answer at all (closed, timed out, not yet connected). Any other
 * answer (a script error, a wrong type, a missing right) will be the same next time.
 */
export function isRetriable(error: Error): boolean {
  return !isErrorReply(error) || TRANSIENT_CODES.some((state) => error.message.startsWith(state));
}

/** Whether Redis refuses who we are or what we may do. It goes on until an operator mends it. */
export function isRefusal(error: Error): boolean {
  return REFUSAL.test(error.message);
}

/** Whether the user has no right to the command. */
export function isMissingRight(error: Error): boolean {
  return MISSING_RIGHT.test(error.message);
}

/** Whether Redis does not know the user, or not with this password. */
export function isWrongUser(error: Error): boolean {
  return WRONG_USER.test(error.message);
}

export function isWithoutCluster(error: Error): boolean {
  return WITHOUT_CLUSTER.test(error.message);
}

/** Whether a node refused WAIT because it is a replica. */
export function isReplicaError(error: Error): boolean {
  return IS_REPLICA.test(error.message);
}

export function isUnknownScript(error: Error): boolean {
  return UNKNOWN_SCRIPT.test(error.message);
}

/** @returns `host:port` of the node that the key is moving to, from the reply ASK */
export function askTarget(error: Error): string | undefined {
  return ASK.exec(error.message)?.[1];
}

/** Whether a write failed because its shard takes none from anybody: it is full, or has too few replicas. */
export function isReadOnlyShard(error: unknown): boolean {
  return (
    error instanceof ReadOnlyShardError ||
    (error instanceof Error && (READ_ONLY.test(error.message) || isReadOnlyShard(error.cause)))
  );
}

/**
 * The error as it may be shown: a refusal as what there is to do about it, because Redis' own words can name the user;
 * and without what the driver adds to an error, the arguments of the command, which hold passwords and digests.
 */
export function redacted(error: Error): Error {
  if (isRefusal(error)) {
    return new Error(adviceFor(error));
  }
  return isReadOnlyShard(error) ? new ReadOnlyShardError(error.message) : new Error(error.message);
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
