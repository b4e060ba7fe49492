import type { History, Operation } from './history.js';

/**
 * Whether the effect of an earlier request may be missing in the response to a later one, because the only copy was lost in
 * between.
 *
 * @param slots of the effect. Default: the slot of the sessions and the values
 */
export type IsForgotten = (
  earlier: Operation,
  later: Operation,
  slots?: readonly number[],
) => boolean;

export function forgottenIn({ lostCopies }: History): IsForgotten {
  return (earlier, later, slots = earlier.slots?.slice(-1) ?? []) =>
    lostCopies.some(
      ({ begin, end, has }) =>
        earlier.end > begin && earlier.begin < end && later.end > end && has(slots),
    );
}
