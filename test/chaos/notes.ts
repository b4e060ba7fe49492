import { recoveriesOf, servedDuringFaults } from './availability.js';
import { isUnknown, type History } from './history.js';

const MIN_SERVED = 30;

/** Notes the number of requests that had to be served during faults. */
export function noteServed(history: History, what: string): void {
  const served = servedDuringFaults(history);
  const failed = served.filter(isUnknown).length;
  history.notes.push(`${served.length} ${what}; ${failed} of them failed`);
  if (served.length < MIN_SERVED) {
    history.untried.push(`only ${served.length} ${what}; the minimum is ${MIN_SERVED}`);
  }
}

/** Notes the recovery from each fault, by name. */
export function noteRecoveries(history: History, from: 'begin' | 'end'): void {
  const recoveries = new Map<string, string[]>();
  recoveriesOf(history, from).forEach((ms, index) => {
    const { name } = history.faults[index]!;
    recoveries.set(name, [...(recoveries.get(name) ?? []), (ms / 1000).toFixed(1)]);
  });
  const texts = [...recoveries].map(([name, seconds]) => `${name} ${seconds.join(', ')}`);
  history.notes.push(`Recovery in seconds: ${texts.join('; ')}`);
}
