import { useCan, useCluster } from '../../api';
import { useTexts } from '../../texts';
import { ProblemNotice, Section } from '../../ui';
import { Instances } from './instances';
import { LiveMark } from './live-mark';
import { Shards } from './shards';
import { SlotMap } from './slot-map';
import { Troubles } from './troubles';

export function ClusterPage() {
  const { t, time } = useTexts();
  const isAllowed = useCan()('cluster:read');
  const { cluster, isLive, error } = useCluster(isAllowed);
  return (
    <>
      <h1>
        {t('cluster')} <LiveMark isLive={isLive} />
      </h1>
      <ProblemNotice error={error} />
      {isLive === false && <p class="notice problem">{t('notLive')}</p>}
      {cluster && (
        <>
          {/* A verdict that is old misleads: the cluster may be the reason why the connection is lost. */}
          {isLive !== false && (
            <Section title={t('status')}>
              <Troubles cluster={cluster} />
              <p class="faint">{t('asOf', { time: time(cluster.at) })}</p>
            </Section>
          )}
          {cluster.redis && (
            <Section title={t('slots')}>
              <SlotMap nodes={cluster.redis.nodes} />
              <Shards redis={cluster.redis} />
            </Section>
          )}
          <Section title={t('instances')}>
            <Instances cluster={cluster} />
          </Section>
        </>
      )}
    </>
  );
}
