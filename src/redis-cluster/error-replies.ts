import { ReadOnlyShardError } from './redis-cluster.errors.js';

/**
 * Classifies the errors of Redis. Redis distinguishes errors only by their text, so this file holds all patterns for those
 * texts. Our own errors are distinguished by class, see redis-cluster.errors.ts.
 */

/** The code at the start of an error reply, such as `MOVED`. An error that a script raises has none. */
const ERROR_CODE = /^[A-Z]{2,20}(?= |$)/;
/**
 * Redis rejects the user, lacks a permission for the user, or does not know the command (renamed or disabled). The errors of
 * scripts have one text in 7.0 and another in later versions.
 */
const REFUSAL =
  /^(?:NOAUTH|WRONGPASS|NOPERM)\b|^ERR The user executing the script|\bACL failure in script\b|^ERR unknown command/;
const MISSING_RIGHT = /^NOPERM\b/;
const UNKNOWN_COMMAND = /^ERR unknown command ['`]([^'`]+)['`]/;
const WRONG_USER = /^(?:NOAUTH|WRONGPASS)\b/;
/** The shard rejects the writes of all clients for now. */
const READ_ONLY = /^(?:OOM|MISCONF|NOREPLICAS)\b/;
const WITHOUT_CLUSTER = /cluster support disabled/;
/** The node has become a replica. The slot map that lists it as a master is out of date. */
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

/** Whether Redis replied with an error. */
export function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** @returns the code of an error reply; `ERR` if it has none */
export function codeOf({ message }: Error): string {
  return ERROR_CODE.exec(message)?.[0] ?? 'ERR';
}

/**
 * Whether a retry may succeed. That is so for redirections, for temporary states of Redis, and for errors of the connection
 * (closed, timed out, not connected yet). Any other reply (a script error, a wrong type, a missing permission) is permanent.
 */
export function isRetriable(error: Error): boolean {
  return !isErrorReply(error) || TRANSIENT_CODES.some((state) => error.message.startsWith(state));
}

/** Whether Redis rejects our user or denies it a permission. This lasts until an operator fixes it. */
export function isRefusal(error: Error): boolean {
  return REFUSAL.test(error.message);
}

/** Whether the user lacks the permission for the command. */
export function isMissingRight(error: Error): boolean {
  return MISSING_RIGHT.test(error.message);
}

/** Whether Redis rejects the user name or the password. */
export function isWrongUser(error: Error): boolean {
  return WRONG_USER.test(error.message);
}

export function isWithoutCluster(error: Error): boolean {
  return WITHOUT_CLUSTER.test(error.message);
}

/** Whether a node rejected WAIT because it is a replica. */
export function isReplicaError(error: Error): boolean {
  return IS_REPLICA.test(error.message);
}

export function isUnknownScript(error: Error): boolean {
  return UNKNOWN_SCRIPT.test(error.message);
}

/** @returns `host:port` of the node that imports the slot, from an `ASK` reply */
export function askTarget(error: Error): string | undefined {
  return ASK.exec(error.message)?.[1];
}

/** Whether a write failed because its shard rejects all writes: it is out of memory, or has too few replicas. */
export function isReadOnlyShard(error: unknown): boolean {
  return (
    error instanceof ReadOnlyShardError ||
    (error instanceof Error && (READ_ONLY.test(error.message) || isReadOnlyShard(error.cause)))
  );
}

/**
 * Removes secrets from an error. The text of Redis can name the user, so a rejection becomes advice for the operator. The
 * arguments that the driver attaches to an error hold passwords and digests, so they are dropped.
 */
export function redacted(error: Error): Error {
  if (isRefusal(error)) {
    return new Error(adviceFor(error));
  }
  return isReadOnlyShard(error) ? new ReadOnlyShardError(error.message) : new Error(error.message);
}

function adviceFor({ message }: Error): string {
  if (WRONG_USER.test(message)) {
    return 'Redis refuses the user: check REDIS_USERNAME and REDIS_PASSWORD, or in a service redis.username and redis.password';
  }
  const unknown = UNKNOWN_COMMAND.exec(message)?.[1];
  if (unknown !== undefined) {
    return `Redis does not know the command ${unknown}: a node has it disabled or renamed, and Keyslot needs it`;
  }
  const command = /'([a-z|]+)' command/.exec(message)?.[1];
  const what = command === undefined ? 'a key, a channel or a command' : `the command ${command}`;
  return (
    `Redis refuses the user ${what}: give it the rights that "node dist/cli.js redis-acl" prints (for a service with ` +
    '--guard), on every node'
  );
}
