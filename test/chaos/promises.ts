import { unavailabilityOf, type Unavailability } from './availability.js';
import type { Expectations } from './expectations.js';
import { whyDishonest } from './honesty.js';
import { isAnswered, isUnknown, type History, type Operation } from './history.js';
import { describe } from './words.js';

/** The deadlines of requests (see RequestDeadline), with a margin for a loaded machine. */
const MAX_READ_MS = 2000 + 500;
const MAX_RESPONSE_MS = 5000 + 500;
/** The grace period of a spent refresh token (REFRESH_GRACE). */
const GRACE_MS = 10_000;

/** Messages about broken promises. Every list must be empty. */
export interface Violations extends Unavailability {
  /** Acknowledged writes that were lost. */
  readonly lost: string[];
  /** Requests that were accepted after the end of their session was acknowledged. */
  readonly accepted: string[];
  /** Responses that are neither a success nor an honest refusal. */
  readonly dishonest: string[];
  readonly late: string[];
}

/**
 * Checks the promises in docs/operations/fault-tests.md against the responses that the clients saw.
 *
 * @param delayMs the maximum delay of this process, and so of the measured times
 */
export function violationsOf(
  history: History,
  expectations: Expectations,
  delayMs: number,
): Violations {
  const violations: Violations = {
    lost: [],
    accepted: [],
    dishonest: [],
    late: [],
    ...unavailabilityOf(history, expectations, delayMs),
  };
  for (const operations of groupBy(history.operations, ({ user }) => user).values()) {
    checkRegistration(operations, violations);
    checkValues(operations, violations);
    for (const ofSession of groupBy(operations, ({ session }) => session).values()) {
      checkSession(ofSession, violations);
    }
  }
  for (const operation of history.operations) {
    checkAnswer(operation, history, delayMs, violations);
  }
  return violations;
}

/** Promise 2: a user who registered, or has logged in once, can log in. */
function checkRegistration(operations: readonly Operation[], { lost }: Violations): void {
  const proof = operations.find(
    (one) => (one.kind === 'register' || one.kind === 'login') && isAnswered(one),
  );
  for (const login of operations) {
    if (proof && login.kind === 'login' && login.status === 401 && login.begin > proof.end) {
      lost.push(describe('the user is not known any more', login));
    }
  }
}

/** Promises 1 and 2: a read returns the last written value, or one whose write may have succeeded since. */
function checkValues(operations: readonly Operation[], { lost }: Violations): void {
  const changes = operations.filter(({ kind }) => kind === 'change');
  for (const read of operations) {
    if (read.kind !== 'read' || !isAnswered(read)) {
      continue;
    }
    const last = changes.filter((one) => isAnswered(one) && one.end < read.begin).at(-1);
    if (last === undefined) {
      continue;
    }
    // A client changes its user in sequence: requests before the last response are older.
    const possible = changes.filter(
      (one) => one === last || (one.begin >= last.end && one.begin < read.end),
    );
    if (!possible.some(({ value }) => value === read.value)) {
      lost.push(describe(`found ${read.value} instead of ${last.value}`, read));
    }
  }
}

function checkSession(operations: readonly Operation[], { lost, accepted }: Violations): void {
  const logouts = operations.filter(({ kind }) => kind === 'logout');
  const firstLogout = logouts[0];
  // If the logout was sent before, a refused token at its own logout means that the session has ended.
  const ended = logouts.find(
    (one, index) =>
      isAnswered(one) || (one.status === 401 && logouts.slice(0, index).some(isUnknown)),
  );
  const isOver = (one: Operation): boolean => ended !== undefined && one.begin > ended.end;
  for (const operation of operations) {
    const { kind } = operation;
    if (kind === 'login' || kind === 'register') {
      continue;
    }
    if (isAnswered(operation) && isOver(operation)) {
      accepted.push(describe('accepted after its end', operation));
    }
    const isBeforeAnyLogout =
      operation === firstLogout || operation.end < (firstLogout?.begin ?? Infinity);
    const isRefused = operation.status === 401 && isBeforeAnyLogout;
    if (isRefused && !mayHaveEnded(operation, operations)) {
      lost.push(describe('the session is not known any more', operation));
    }
  }
}

/** Whether a refresh with a lost response may have been retried too late: a spent token then ends its session. */
function mayHaveEnded(refused: Operation, operations: readonly Operation[]): boolean {
  let unansweredSince: number | undefined;
  for (const one of operations) {
    if (one.kind !== 'refresh' || one.begin > refused.begin) {
      continue;
    }
    if (unansweredSince !== undefined && one.end - unansweredSince > GRACE_MS && !isAnswered(one)) {
      return true;
    }
    // A response settles it: the client has the newest token.
    unansweredSince = isAnswered(one)
      ? undefined
      : (unansweredSince ?? (isUnknown(one) ? one.begin : undefined));
  }
  return false;
}

/** Promise 3, and the documented statuses. */
function checkAnswer(
  operation: Operation,
  history: History,
  delayMs: number,
  violations: Violations,
): void {
  const isExcused = history.isDisturbed(operation);
  if (!isHonest(operation, history)) {
    violations.dishonest.push(describe('answered', operation));
  }
  const isRedisAway = history.faults.some(
    ({ name, begin, end }) =>
      name.startsWith('all ') && operation.begin > begin && operation.begin < end,
  );
  const isShort = operation.kind === 'read' || isRedisAway;
  const isTimed = !isExcused && !history.isWarmingUp(operation);
  const limit = isShort ? MAX_READ_MS : MAX_RESPONSE_MS;
  if (operation.end - operation.begin > limit + delayMs && isTimed) {
    violations.late.push(describe('answered late', operation));
  }
}

/** The checks of sessions and users judge 401 responses. */
function isHonest(operation: Operation, history: History): boolean {
  const { kind, status } = operation;
  if (status === 409) {
    // Only if the client does not know whether the name was registered.
    return (
      kind === 'register' &&
      history.operations.some(
        (one) => one.kind === kind && one.user === operation.user && isUnknown(one),
      )
    );
  }
  const isRefusal = status === 403 || (status === 401 && kind === 'register');
  const isDisturbed = history.isDisturbed(operation);
  return !isRefusal && whyDishonest({ ...operation, isDisturbed }) === undefined;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) {
      continue;
    }
    const group = groups.get(key);
    if (group) {
      group.push(item);
    } else {
      groups.set(key, [item]);
    }
  }
  return groups;
}
