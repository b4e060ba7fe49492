/**
 * The area under the ROC curve of a classifier that distinguishes two kinds of responses by their times: 0.5 is guessing,
 * 0 and 1 are certainty (Mann-Whitney U, ties count half).
 */
export function areaUnderCurve(ones: readonly number[], others: readonly number[]): number {
  const sorted = [...others].sort((a, b) => a - b);
  const pairs = ones.map((time) => {
    const below = countBelow(sorted, (other) => other < time);
    const notAbove = countBelow(sorted, (other) => other <= time);
    return (below + notAbove) / 2;
  });
  return pairs.reduce((sum, count) => sum + count, 0) / (ones.length * others.length);
}

/** The number of leading values of a sorted list that fulfil the condition. */
function countBelow(sorted: readonly number[], isBelow: (value: number) => boolean): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isBelow(sorted[middle]!)) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}
