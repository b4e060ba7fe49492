import type { Expectations } from './expectations.js';
import { isUnknown, type Fault, type History, type Operation } from './history.js';
import { describe } from './words.js';

/** If this process is delayed as much, an instance with more work sheds load (see src/http/load-shedding.ts). */
const STARVED_MS = 200;

export interface Unavailability {
  /** Requests that were refused without a fault, or more often than the scenario allows. */
  readonly unavailable: string[];
  /** Faults with a longer recovery than documented. */
  readonly slow: string[];
}

/** Checks that a fault affects only its own users, and that they are served again soon. */
export function unavailabilityOf(
  history: History,
  { recovery, maxRefusedShare }: Expectations,
  delayMs: number,
): Unavailability {
  const isRefused = (one: Operation): boolean =>
    one.status === 503 &&
    !history.isWarmingUp(one) &&
    !(one.code === 'overloaded' && delayMs >= STARVED_MS);
  const firstFault = history.faults[0]?.begin ?? Infinity;
  const isCalm = ({ begin, end }: Operation): boolean =>
    begin > history.repairedFrom || end < firstFault;
  const unavailable = [
    ...history.operations
      .filter((one) => isRefused(one) && isCalm(one))
      .map((one) => describe('turned away while nothing was broken', one)),
    ...servedDuringFaults(history)
      .filter(isRefused)
      .map((one) => describe('turned away, although the fault does not affect it', one)),
  ];
  const troubled = history.operations.filter((one) => !isCalm(one) && !history.isDisturbed(one));
  const share = troubled.filter(isRefused).length / troubled.length;
  if (maxRefusedShare !== undefined && share > maxRefusedShare) {
    const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
    unavailable.push(
      `${percent(share)} of ${troubled.length} requests were turned away, of ${percent(maxRefusedShare)} at most`,
    );
  }
  const slow = recoveriesOf(history, recovery.from).flatMap((ms, index) => {
    const { name, begin } = history.faults[index]!;
    return ms > recovery.withinMs + delayMs
      ? [`${name} at ${Math.round(begin)} ms: recovery took ${Math.round(ms)} ms`]
      : [];
  });
  return { unavailable, slow };
}

/** The requests that must not be refused although a fault has not ended. */
export function servedDuringFaults({ faults, operations }: History): Operation[] {
  return operations.filter(({ slots, begin, end }) =>
    faults.some(
      (fault) =>
        begin > (fault.servedFrom ?? Infinity) && end < fault.end && !mayAffect(fault, slots),
    ),
  );
}

function mayAffect({ isAffected }: Fault, slots: readonly number[] | undefined): boolean {
  return isAffected !== undefined && (slots === undefined || isAffected(slots));
}

/** How long requests were refused after each fault, in milliseconds. */
export function recoveriesOf(history: History, from: 'begin' | 'end'): number[] {
  const { faults, operations } = history;
  return faults.map((fault, index) => {
    const until = faults[index + 1]?.begin ?? Infinity;
    const failed = operations.filter(
      (one) =>
        isUnknown(one) && one.end > fault.begin && one.end < until && !history.isDisturbed(one),
    );
    const last = failed.reduce((latest, { end }) => Math.max(latest, end), 0);
    return Math.max(0, last - fault[from]);
  });
}
