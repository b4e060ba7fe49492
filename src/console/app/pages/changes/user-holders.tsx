import { useQuery } from '@tanstack/preact-query';

import { call, useKnownUsers, type LiveCluster } from '../../api';
import { useTexts } from '../../texts';
import { ProblemNotice, Table } from '../../ui';
import { ChangeRow } from './change-row';
import { useInstanceName } from './instance-name';

const REFRESH_INTERVAL_MS = 5000;

/** Which instances may hold a user in memory, and the changes of this user as they happen. */
export function UserHolders({ id, live }: { id: string; live: LiveCluster }) {
  const { t } = useTexts();
  const { cluster, changes } = live;
  const { data, error } = useQuery({
    queryKey: ['holders', id],
    queryFn: () =>
      call<{ items: { holderId: string }[] }>('GET', `api/users/${encodeURIComponent(id)}/holders`),
    refetchInterval: REFRESH_INTERVAL_MS,
  });
  const instances = cluster?.instances ?? [];
  const nameOf = useInstanceName(instances);
  const name = useKnownUsers().get(id)?.username;
  return (
    <>
      <p class="faint">{t('holdersText')}</p>
      <ProblemNotice error={error} />
      {data && (
        <Table
          label={t('holders')}
          head={['instance']}
          empty="noHolder"
          rows={data.items.map(({ holderId }) => ({
            key: holderId,
            cells: [cluster && nameOf(holderId)],
          }))}
        />
      )}
      <ol class="changes" aria-live="polite">
        {changes
          .filter(({ subject }) => subject.id === id)
          .map((change) => (
            <ChangeRow key={change.id} change={change} instances={instances} name={name} />
          ))}
      </ol>
    </>
  );
}
