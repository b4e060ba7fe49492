const LOOK_UPS = /^keyslot_near_cache_requests_total\{result="(\w+)"\} (\d+)$/gm;

export interface LookUps {
  readonly hits: number;
  readonly all: number;
}

/** The number of cache look-ups of an instance so far. */
export async function lookUpsOf(url: string): Promise<LookUps> {
  return parseLookUps(await (await fetch(`${url}/metrics`)).text());
}

/** @throws when a metric is missing */
export function parseLookUps(text: string): LookUps {
  const counts = new Map(
    [...text.matchAll(LOOK_UPS)].map(([, name, count]) => [name, Number(count)]),
  );
  const hits = counts.get('hit');
  if (hits === undefined) {
    throw new Error('the metrics do not tell how many look-ups were hits');
  }
  return { hits, all: [...counts.values()].reduce((sum, count) => sum + count, 0) };
}

export function hitRate(before: LookUps, after: LookUps): number {
  return (after.hits - before.hits) / (after.all - before.all);
}
