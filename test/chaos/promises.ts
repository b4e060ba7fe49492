import { isAnswered, isUnknown, type History, type Operation } from './history.js';

/** After a disturbance, connections that were kept open are still found dead for so long. */
const AFTER_EFFECT_MS = 500;
/** What a request may take (see RequestDeadline), and what a busy machine adds. */
const LONGEST_READ_MS = 2000 + 500;
const LONGEST_ANSWER_MS = 5000 + 500;
/** A spent refresh token yields the same answer again for so long (REFRESH_GRACE). */
const GRACE_MS = 10_000;

/** What was promised and not kept, in words. Every list has to be empty. */
export interface Violations {
  /** Acknowledged, and not there any more. */
  readonly lost: string[];
  /** Let through, though the end of the session had been answered with success before. */
  readonly accepted: string[];
  /** Neither what was asked for nor an honest refusal. */
  readonly dishonest: string[];
  readonly late: string[];
}

/** Checks the promises of the contract against what the clients saw. */
export function violationsOf(history: History): Violations {
  const violations: Violations = { lost: [], accepted: [], dishonest: [], late: [] };
  for (const operations of groupBy(history.operations, ({ user }) => user).values()) {
    checkRegistration(operations, violations);
    checkValues(operations, violations);
    for (const ofSession of groupBy(operations, ({ session }) => session).values()) {
      checkSession(ofSession, violations);
    }
  }
  for (const operation of history.operations) {
    checkAnswer(operation, history, violations);
  }
  return violations;
}

/** Promise 2: a user who was registered can log in. */
function checkRegistration(operations: readonly Operation[], { lost }: Violations): void {
  const registered = operations.find((one) => one.kind === 'register' && isAnswered(one));
  const refused = operations.find(({ kind, status }) => kind === 'login' && status === 401);
  if (registered && refused && refused.begin > registered.end) {
    lost.push(describe('the user is not known any more', refused));
  }
}

/** Promises 1 and 2: a read finds what was written last, or something that may have been written since. */
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
    // Clients change a user one after the other: what was begun before the last one was answered is older.
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
  const firstTry = logouts[0]?.begin ?? Infinity;
  // A token that is refused to its own logout is refused everywhere, if the logout was tried before.
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
    const isRefused = operation.status === 401 && operation.end < firstTry;
    if (isRefused && !mayHaveEnded(operation, operations)) {
      lost.push(describe('the session is not known any more', operation));
    }
  }
}

/** Whether a refresh whose answer was lost may have been repeated too late: a spent token ends its session then. */
function mayHaveEnded(refused: Operation, operations: readonly Operation[]): boolean {
  const refreshes = operations.filter(
    (one) => one.kind === 'refresh' && one.begin <= refused.begin,
  );
  return refreshes.some(
    (one) =>
      isUnknown(one) &&
      refreshes.some((other) => other.begin > one.begin && other.end - one.begin > GRACE_MS),
  );
}

/** Promise 3, and what the contract says about statuses. */
function checkAnswer(operation: Operation, history: History, violations: Violations): void {
  const isExcused = history.disturbances.some(
    ({ instance, begin, end }) =>
      instance === operation.instance &&
      operation.begin < end + AFTER_EFFECT_MS &&
      operation.end > begin,
  );
  if (!isHonest(operation, history.operations) && !(operation.status === 0 && isExcused)) {
    violations.dishonest.push(describe('answered', operation));
  }
  const limit = operation.kind === 'read' ? LONGEST_READ_MS : LONGEST_ANSWER_MS;
  if (operation.end - operation.begin > limit && !isExcused) {
    violations.late.push(describe('answered late', operation));
  }
}

/** A 401 is judged where sessions and users are. */
function isHonest(operation: Operation, all: readonly Operation[]): boolean {
  const { kind, status, hasRetryAfter } = operation;
  if (status === 503) {
    return hasRetryAfter;
  }
  if (kind === 'register' && status === 409) {
    // Only to a client who was left in doubt about the same name.
    return all.some((one) => one.kind === kind && one.user === operation.user && isUnknown(one));
  }
  return isAnswered(operation) || (status === 401 && kind !== 'register');
}

/** How long clients were turned away after each fault, in milliseconds. */
export function recoveriesOf(
  { faults, operations, disturbances }: History,
  from: 'begin' | 'end',
): number[] {
  return faults.map((fault, index) => {
    const until = faults[index + 1]?.begin ?? Infinity;
    const failed = operations.filter(
      (one) => isUnknown(one) && one.end > fault.begin && one.end < until && !isDisturbed(one),
    );
    const last = failed.reduce((latest, { end }) => Math.max(latest, end), 0);
    return Math.max(0, last - fault[from]);
  });

  function isDisturbed({ instance, begin, end }: Operation): boolean {
    return disturbances.some(
      (one) => one.instance === instance && begin < one.end + AFTER_EFFECT_MS && end > one.begin,
    );
  }
}

function describe(what: string, operation: Operation): string {
  const { kind, instance, begin, end, user, session, status, code } = operation;
  const times = `${Math.round(begin)} to ${Math.round(end)} ms`;
  return `${what}: ${kind} of ${user}${session ? `, session ${session}` : ''}, instance ${instance}, ${status} ${code ?? ''}, ${times}`;
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
