import type { Cluster, Instance } from '../../api';
import { useTexts } from '../../texts';
import { Table } from '../../ui';

const MEGABYTE = 1024 * 1024;

export function Instances({ cluster }: { cluster: Cluster }) {
  const { t, time, number } = useTexts();
  if (!cluster.instances) {
    return <p class="faint">{t('instancesUnknown')}</p>;
  }
  const megabytes = (bytes: number): string => number(bytes / MEGABYTE, 1);
  const hitRate = ({ hit, miss, untrusted }: Instance['lookups']): string => {
    const all = hit + miss + untrusted;
    return all === 0 ? '–' : `${number((100 * hit) / all, 1)} %`;
  };
  return (
    <Table
      label={t('instances')}
      head={['instance', 'version', 'lease', 'memory', 'hitRate', 'started', 'reported']}
      rows={cluster.instances.map((instance) => ({
        key: instance.id,
        cells: [
          <>
            <strong>{instance.service ?? 'Keyslot'}</strong> {instance.host}, {instance.processId}
            {instance.holderId === cluster.answeredBy && <div class="faint">({t('thisOne')})</div>}
          </>,
          instance.version,
          <span class={instance.isTrusted ? 'good' : 'bad'}>
            {instance.isTrusted ? t('held', { ms: instance.leaseMs }) : t('notHeld')}
          </span>,
          t('memoryOf', {
            used: megabytes(instance.entryBytes),
            entries: number(instance.entries),
            process: megabytes(instance.processBytes),
          }),
          hitRate(instance.lookups),
          instance.startedAt && time(instance.startedAt),
          t('secondsAgo', { count: Math.round(instance.reportedMsAgo / 1000) }),
        ],
      }))}
    />
  );
}
