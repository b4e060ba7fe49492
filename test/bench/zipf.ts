import type { Random } from '../chaos/random.js';

/** Ranks with a Zipf distribution: the second is drawn half as often as the first, the third a third as often. */
export class Zipf {
  private readonly sums: number[] = [];

  constructor(count: number) {
    let sum = 0;
    for (let rank = 1; rank <= count; rank += 1) {
      sum += 1 / rank;
      this.sums.push(sum);
    }
  }

  /** @returns a rank, from 0 */
  draw(random: Random): number {
    const wanted = random.next() * (this.sums.at(-1) ?? 0);
    let [low, high] = [0, this.sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      [low, high] = this.sums[middle]! > wanted ? [low, middle] : [middle + 1, high];
    }
    return low;
  }
}
