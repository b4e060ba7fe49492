import type { Cluster, ClusterNode } from '../../api';
import { useTexts } from '../../texts';
import { Table } from '../../ui';
import { mastersOf } from './slot-map';

const COLOURS = 6;

export function Shards({ redis }: { redis: NonNullable<Cluster['redis']> }) {
  const { t, number } = useTexts();
  const stateOf = ({ isUp, isReached }: ClusterNode): string => {
    if (!isUp) {
      return t('down');
    }
    return isReached ? t('up') : t('unreached');
  };
  const named = (node: ClusterNode) => (
    <div key={node.id}>
      <span class="nowrap">{node.address}</span>{' '}
      <span class={node.isUp ? 'good' : 'bad'}>({stateOf(node)})</span>
    </div>
  );
  const singles = redis.singleCopyShards.map(({ master }) => master);
  return (
    <Table
      label={t('slots')}
      head={['master', 'replicas', 'slots', 'load']}
      rows={mastersOf(redis.nodes).map((master, shard) => ({
        key: master.id,
        cells: [
          <>
            <svg class="swatch" viewBox="0 0 1 1" aria-hidden="true">
              <rect class={master.isUp ? `shard-${shard % COLOURS}` : 'gap'} width="1" height="1" />
            </svg>
            {named(master)}
          </>,
          <>
            {redis.nodes.filter(({ masterId }) => masterId === master.id).map(named)}
            {singles.includes(master.address) && <strong class="bad">{t('oneCopy')}</strong>}
          </>,
          master.slots.map(([first, last]) => `${first}–${last}`).join(', '),
          master.callsPerSecond === null ? '–' : number(master.callsPerSecond, 1),
        ],
      }))}
    />
  );
}
