import { performance } from 'node:perf_hooks';

export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/**
 * Measures sequential calls in several rounds; each result is the minimum over the rounds.
 *
 * @param prepare what each call needs. It runs before the round and is not measured
 */
export async function latencyOf<Prepared = void>(
  times: number,
  rounds: number,
  work: (prepared: Prepared, number: number) => Promise<unknown>,
  prepare: () => Promise<Prepared> = () => Promise.resolve(undefined as Prepared),
): Promise<Latency> {
  const found: Latency[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const took: number[] = [];
    const prepared = await Promise.all(Array.from({ length: times }, prepare));
    for (const [index, one] of prepared.entries()) {
      const begin = performance.now();
      await work(one, round * times + index);
      took.push(performance.now() - begin);
    }
    took.sort((one, other) => one - other);
    const at = (part: number): number => took[Math.floor(part * (times - 1))]!;
    found.push({ medianMs: at(0.5), p99Ms: at(0.99) });
  }
  return {
    medianMs: Math.min(...found.map(({ medianMs }) => medianMs)),
    p99Ms: Math.min(...found.map(({ p99Ms }) => p99Ms)),
  };
}
