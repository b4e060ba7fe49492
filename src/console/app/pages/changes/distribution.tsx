import type { Cluster } from '../../api';
import { useTexts } from '../../texts';

const BAR = 40;
const GAP = 6;
const HEIGHT = 120;
const LABEL = 18;

/** How long the changes of the last hour took. The list for readers of screens has the same numbers. */
export function Distribution({ boundsMs, counts }: Cluster['changes']) {
  const { t, number } = useTexts();
  const most = Math.max(1, ...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const width = counts.length * (BAR + GAP);
  const nameOf = (bucket: number): string => {
    const bound = boundsMs[bucket];
    return bound === undefined
      ? t('above', { ms: number(boundsMs.at(-1) ?? 0) })
      : t('upTo', { ms: number(bound) });
  };
  return (
    <>
      <p class="faint">
        {t('distributionText')} {t('changesTotal', { count: number(total) })}
      </p>
      <svg class="chart" viewBox={`0 0 ${width} ${HEIGHT + 2 * LABEL}`} aria-hidden="true">
        {counts.map((count, bucket) => {
          const height = (count / most) * HEIGHT;
          const x = bucket * (BAR + GAP);
          return (
            <g key={bucket}>
              <rect x={x} y={LABEL + HEIGHT - height} width={BAR} height={height} />
              <text x={x + BAR / 2} y={LABEL + HEIGHT - height - 4}>
                {count > 0 ? number(count) : ''}
              </text>
              <text x={x + BAR / 2} y={HEIGHT + 2 * LABEL - 3}>
                {boundsMs[bucket] === undefined ? `>${boundsMs.at(-1)}` : boundsMs[bucket]}
              </text>
            </g>
          );
        })}
      </svg>
      <ul class="hidden">
        {counts.map((count, bucket) => (
          <li key={bucket}>{`${nameOf(bucket)}: ${number(count)}`}</li>
        ))}
      </ul>
    </>
  );
}
