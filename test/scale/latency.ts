import { performance } from 'node:perf_hooks';

export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Measures sequential calls in several rounds; each result is the minimum over the rounds. */
export async function latencyOf(
  times: number,
  rounds: number,
  work: (number: number) => Promise<unknown>,
): Promise<Latency> {
  const found: Latency[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const took: number[] = [];
    for (let index = 0; index < times; index += 1) {
      const begin = performance.now();
      await work(round * times + index);
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
