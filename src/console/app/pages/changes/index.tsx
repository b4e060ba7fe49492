import { useState } from 'preact/hooks';

import {
  call,
  useCan,
  useCluster,
  useKnownUsers,
  type LiveCluster,
  type Page,
  type User,
} from '../../api';
import { useTexts } from '../../texts';
import { Done, Field, Form, ProblemNotice, Section } from '../../ui';
import { LiveMark } from '../cluster/live-mark';
import { ChangeRow } from './change-row';
import { Distribution } from './distribution';
import { UserHolders } from './user-holders';

export function ChangesPage() {
  const { t } = useTexts();
  const can = useCan();
  const live = useCluster(can('cluster:read'));
  const { cluster, changes, isLive, hasChanges, error } = live;
  const users = useKnownUsers();
  return (
    <>
      <h1>
        {t('changes')} <LiveMark isLive={isLive && hasChanges} />
      </h1>
      <ProblemNotice error={error} />
      {isLive === false && <p class="notice problem">{t('notLive')}</p>}
      {hasChanges === false && <p class="notice problem">{t('noChangesArrive')}</p>}
      <Section title={t('followed')}>
        <p class="faint">{t('followedText')}</p>
        {changes.length === 0 && <p class="faint">{t('noChanges')}</p>}
        <ol class="changes" aria-live="polite">
          {changes.map((change) => (
            <ChangeRow
              key={change.id}
              change={change}
              instances={cluster?.instances ?? []}
              name={users.get(change.subject.id ?? '')?.username}
            />
          ))}
        </ol>
      </Section>
      {cluster?.changes && (
        <Section title={t('distribution')}>
          <Distribution {...cluster.changes} />
        </Section>
      )}
      {can('users:read') && can('sessions:read') && <FindHolders live={live} />}
    </>
  );
}

function FindHolders({ live }: { live: LiveCluster }) {
  const { t } = useTexts();
  const [found, setFound] = useState<User | null>();
  const find = async ({ username = '' }: Readonly<Record<string, string>>): Promise<void> => {
    const query = new URLSearchParams({ q: username, limit: '1' }).toString();
    const { items } = await call<Page<User>>('GET', `api/users?${query}`);
    setFound(items[0] ?? null);
  };
  return (
    <Section title={t('holdersOf')}>
      <Form action={t('find')} submit={find}>
        <Field label={t('search')} name="username" required />
      </Form>
      <Done>{found === null && t('noUserFound')}</Done>
      {found && (
        <>
          <h3>
            <a href={`#/users/${found.id}`}>{found.username}</a>
          </h3>
          <UserHolders id={found.id} live={live} />
        </>
      )}
    </Section>
  );
}
