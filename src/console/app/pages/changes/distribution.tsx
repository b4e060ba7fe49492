import type { Cluster } from '../../api';
import { useTexts } from '../../texts';

/** How long the changes of the last hour took: a bar for each range of times. */
export function Distribution({ boundsMs, counts }: NonNullable<Cluster['changes']>) {
  const { t, number } = useTexts();
  const most = Math.max(1, ...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const nameOf = (bucket: number): string => {
    const bound = boundsMs[bucket];
    return bound === undefined
      ? t('above', { ms: number(boundsMs.at(-1) ?? 0) })
      : t('upTo', { ms: number(bound) });
  };
  /** The bucket in which this part of the changes has finished. */
  const bucketOf = (part: number): number => {
    let sum = 0;
    return counts.findIndex((count) => (sum += count) >= part * total);
  };
  return (
    <>
      <p>
        {t('changesTotal', { count: number(total) })}{' '}
        {total > 0 && t('quantiles', { half: nameOf(bucketOf(0.5)), most: nameOf(bucketOf(0.95)) })}
      </p>
      <p class="faint">{t('distributionText')}</p>
      <ul class="chart">
        {counts.map((count, bucket) => (
          <li key={bucket}>
            <span>{nameOf(bucket)}</span>
            <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
              <rect width={(100 * count) / most} height="1" />
            </svg>
            <span>{number(count)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
