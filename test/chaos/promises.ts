import { unavailabilityOf, type Unavailability } from './availability.js';
import type { Expectations } from './expectations.js';
import { whyDishonest } from './honesty.js';
import { isAnswered, isUnknown, type History, type Operation } from './history.js';
import { forgottenIn, type IsForgotten } from './lost-copies.js';
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

/** The result of all checks. */
export interface Findings extends Violations {
  /** Responses that show the loss of a write that only one copy had, when this copy was lost. No violation. */
  readonly lostWithOneCopy: string[];
}

/** Responses that contradict earlier ones, with the reason. */
interface Contradictions {
  readonly lost: Map<Operation, string>;
  readonly accepted: Map<Operation, string>;
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
): Findings {
  const isForgotten = forgottenIn(history);
  const { lost, accepted } = contradictionsIn(history, isForgotten);
  const withoutExcuse = contradictionsIn(history, () => false);
  const excused = [...withoutExcuse.lost, ...withoutExcuse.accepted].filter(
    ([operation]) => !lost.has(operation) && !accepted.has(operation),
  );
  const findings: Findings = {
    lost: [...lost.values()],
    lostWithOneCopy: excused.map(([, reason]) => reason),
    accepted: [...accepted.values()],
    dishonest: [],
    late: [],
    ...unavailabilityOf(history, expectations, delayMs),
  };
  for (const operation of history.operations) {
    checkAnswer(operation, history, isForgotten, delayMs, findings);
  }
  return findings;
}

function contradictionsIn({ operations }: History, isForgotten: IsForgotten): Contradictions {
  const found: Contradictions = { lost: new Map(), accepted: new Map() };
  for (const ofName of groupBy(operations, ({ user }) => user).values()) {
    checkRegistration(ofName, isForgotten, found);
    for (const ofUser of groupBy(ofName, ({ userId, user }) => userId ?? user).values()) {
      checkValues(ofUser, isForgotten, found);
    }
    for (const ofSession of groupBy(ofName, ({ session }) => session).values()) {
      checkSession(ofSession, isForgotten, found);
    }
  }
  return found;
}

/** Promise 2: a user who registered, or has logged in once, can log in. */
function checkRegistration(
  operations: readonly Operation[],
  isForgotten: IsForgotten,
  { lost }: Contradictions,
): void {
  const proofs = operations.filter(
    (one) => (one.kind === 'register' || one.kind === 'login') && isAnswered(one),
  );
  for (const login of operations) {
    const isProof = (one: Operation): boolean =>
      one.end < login.begin && !isForgotten(one, login, one.slots);
    if (login.kind === 'login' && login.status === 401 && proofs.some(isProof)) {
      lost.set(login, describe('the user is not known any more', login));
    }
  }
}

/** Promises 1 and 2: a read returns the last written value, or one whose write may have succeeded since. */
function checkValues(
  operations: readonly Operation[],
  isForgotten: IsForgotten,
  { lost }: Contradictions,
): void {
  const changes = operations.filter(({ kind }) => kind === 'change');
  for (const read of operations) {
    if (read.kind !== 'read' || !isAnswered(read)) {
      continue;
    }
    const last = changes
      .filter((one) => isAnswered(one) && one.end < read.begin && !isForgotten(one, read))
      .at(-1);
    if (last === undefined) {
      continue;
    }
    // A client changes its user in sequence: requests before the last response are older.
    const possible = changes.filter(
      (one) => one === last || (one.begin >= last.end && one.begin < read.end),
    );
    if (!possible.some(({ value }) => value === read.value)) {
      lost.set(read, describe(`found ${read.value} instead of ${last.value}`, read));
    }
  }
}

function checkSession(
  operations: readonly Operation[],
  isForgotten: IsForgotten,
  { lost, accepted }: Contradictions,
): void {
  const logouts = operations.filter(({ kind }) => kind === 'logout');
  const firstLogout = logouts[0];
  // If the logout was sent before, a refused token at its own logout means that the session has ended.
  const ends = logouts.filter(
    (one, index) =>
      isAnswered(one) || (one.status === 401 && logouts.slice(0, index).some(isUnknown)),
  );
  const isOver = (one: Operation): boolean =>
    ends.some((end) => one.begin > end.end && !isForgotten(end, one));
  for (const operation of operations) {
    const { kind } = operation;
    if (kind === 'login' || kind === 'register') {
      continue;
    }
    if (isAnswered(operation) && isOver(operation)) {
      accepted.set(operation, describe('accepted after its end', operation));
    }
    const isBeforeAnyLogout =
      operation === firstLogout || operation.end < (firstLogout?.begin ?? Infinity);
    const isRefused = operation.status === 401 && isBeforeAnyLogout;
    if (isRefused && !mayHaveEnded(operation, operations, isForgotten)) {
      lost.set(operation, describe('the session is not known any more', operation));
    }
  }
}

/**
 * Whether the session may have ended without a logout: its login is forgotten, or a refresh is forgotten or was retried too
 * late. A spent or unknown refresh token ends its session.
 */
function mayHaveEnded(
  refused: Operation,
  operations: readonly Operation[],
  isForgotten: IsForgotten,
): boolean {
  const givesTokens = ({ kind }: Operation): boolean => kind === 'login' || kind === 'refresh';
  if (operations.some((one) => givesTokens(one) && isForgotten(one, refused))) {
    return true;
  }
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
  isForgotten: IsForgotten,
  delayMs: number,
  violations: Violations,
): void {
  const isExcused = history.isDisturbed(operation);
  if (!isHonest(operation, history, isForgotten)) {
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
function isHonest(operation: Operation, history: History, isForgotten: IsForgotten): boolean {
  const { kind, status } = operation;
  if (status === 409) {
    // Only if the client does not know whether the name was registered, or whether its user is still there.
    return (
      kind === 'register' &&
      history.operations.some(
        (one) =>
          one.kind === kind &&
          one.user === operation.user &&
          (isUnknown(one) || isForgotten(one, operation, one.slots)),
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
