import type { Cluster } from '../../api';
import { useTexts } from '../../texts';

const GOOD_POLICIES: readonly (string | null)[] = [null, 'noeviction'];

/** What is wrong, and what it means for users. */
export function Troubles({ cluster }: { cluster: Cluster }) {
  const { t, time } = useTexts();
  const { status, redis, evictionPolicy, hasSigningKeys, trustsMemory, instances } = cluster;
  const found = [
    redis === null && t('problem.redis'),
    redis && redis.uncoveredSlots > 0 && t('problem.slots', { count: redis.uncoveredSlots }),
    redis &&
      redis.unreachedMasters > 0 &&
      t('problem.unreached', { count: redis.unreachedMasters }),
    ...(redis?.singleCopyShards ?? [])
      // Of a master that cannot be reached, the lines above tell what is worse.
      .filter(({ master }) =>
        redis?.nodes.some(
          ({ address, isUp, isReached }) => address === master && isUp && isReached,
        ),
      )
      .map(({ master, slots, since }) => t('problem.copy', { master, slots, time: time(since) })),
    !GOOD_POLICIES.includes(evictionPolicy) &&
      t('problem.eviction', { policy: evictionPolicy ?? '' }),
    !hasSigningKeys && t('problem.keys'),
    !trustsMemory && t('problem.memory'),
    ...(instances ?? [])
      .filter(({ isTrusted, holderId }) => !isTrusted && holderId !== cluster.answeredBy)
      .map(({ host }) => t('problem.untrusted', { host })),
  ].filter((text) => typeof text === 'string');
  return (
    <div role="status">
      <p class={`notice ${status === 'ok' ? 'done' : 'problem'}`}>{t(`status.${status}`)}</p>
      {found.length > 0 && (
        <ul>
          {found.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
