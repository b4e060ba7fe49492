import type { Cluster, Instance } from '../../api';
import { useTexts } from '../../texts';
import { Table } from '../../ui';
import { useInstanceName } from '../changes/instance-name';

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;

export function Instances({ cluster }: { cluster: Cluster }) {
  const { t, time, number } = useTexts();
  const nameOf = useInstanceName(cluster.instances ?? []);
  if (!cluster.instances) {
    return <p class="faint">{t('instancesUnknown')}</p>;
  }
  const size = (bytes: number): string =>
    bytes < MEGABYTE ? `${number(bytes / KILOBYTE)} KB` : `${number(bytes / MEGABYTE)} MB`;
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
            {nameOf(instance.holderId)}
            {instance.holderId === cluster.answeredBy && <div class="faint">({t('thisOne')})</div>}
          </>,
          instance.version,
          <span class={instance.isTrusted ? 'good' : 'bad'}>
            {instance.isTrusted ? t('held', { ms: instance.leaseMs }) : t('notHeld')}
          </span>,
          t('memoryOf', {
            used: size(instance.entryBytes),
            count: number(instance.entries),
            process: size(instance.processBytes),
          }),
          hitRate(instance.lookups),
          instance.startedAt && time(instance.startedAt),
          t('secondsAgo', { count: Math.round(instance.reportedMsAgo / 1000) }),
        ],
      }))}
    />
  );
}
