import type { KeySet } from './key-set.js';

/** A step in the life of the signing keys. */
export type DueStep =
  | { readonly step: 'adopt'; readonly kid: string }
  | { readonly step: 'publish'; readonly replaced: string }
  | { readonly step: 'promote'; readonly kid: string; readonly replaced: string }
  | { readonly step: 'schedule-removal' | 'remove'; readonly kids: readonly string[] };

/**
 * Decides which steps are due. A step that is due stays due until it is taken, or until another key signs.
 *
 * @param instanceTime the time of the instance. The earlier one of this time and the time of the node decides, so that one
 * wrong clock can only delay a step
 */
export function dueSteps(
  { now: nodeTime, signing, published, retired }: KeySet,
  instanceTime: number,
  lifetimeMs: number,
): DueStep[] {
  const now = Math.min(nodeTime, instanceTime);
  const steps: DueStep[] = [];
  if (signing.createdAt === undefined) {
    steps.push({ step: 'adopt', kid: signing.kid });
  } else if (!published && now >= signing.createdAt + lifetimeMs) {
    steps.push({ step: 'publish', replaced: signing.kid });
  }
  if (published && now >= published.signsFrom) {
    steps.push({ step: 'promote', kid: published.kid, replaced: signing.kid });
  }
  const unscheduled = retired.filter(({ removeAt }) => removeAt === undefined);
  const expired = retired.filter(({ removeAt = Infinity }) => now >= removeAt);
  for (const [step, keys] of [
    ['schedule-removal', unscheduled],
    ['remove', expired],
  ] as const) {
    if (keys.length > 0) {
      steps.push({ step, kids: keys.map(({ kid }) => kid) });
    }
  }
  return steps;
}
